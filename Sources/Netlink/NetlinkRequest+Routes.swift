internal import CNetlink
internal import Glibc
public import Wire

extension NetlinkRequest {
    /// Equals `ip route add DESTINATION via GATEWAY dev NAME metric METRIC [onlink] proto static`
    public static func addRoute(_ route: Route) -> NetlinkRequest {
        request(route, type: RTM_NEWROUTE, flags: NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, word: "add")
    }

    /// Puts a route in the place of the one with the same destination and metric, or adds it.
    ///
    /// Equals `ip route replace DESTINATION via GATEWAY dev NAME metric METRIC [onlink] proto static`
    public static func replaceRoute(_ route: Route) -> NetlinkRequest {
        request(route, type: RTM_NEWROUTE, flags: NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, word: "replace")
    }

    /// Puts a route with several gateways in the place of the one with the same destination, or adds it. Which gateway
    /// a flow takes is decided by its hash (`net.ipv4.fib_multipath_hash_policy`, and of ipv6).
    ///
    /// Equals `ip route replace DESTINATION proto static nexthop via GATEWAY [dev NAME] nexthop via GATEWAY …`
    /// - Parameter routes: to one destination, each with a gateway; link-local ones with a device
    public static func replaceEqualPaths(_ routes: [Route]) -> NetlinkRequest {
        var message = MessageBuilder(type: RTM_NEWROUTE, flags: NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE)
        let hops = routes.compactMap { route in route.gateway.map { (gateway: $0, device: route.device) } }
        guard let destination = routes.first?.destination, let prefixLength = routes.first?.prefixLength,
            hops.count == routes.count,
            routes.allSatisfy({ $0.destination == destination && $0.prefixLength == prefixLength }),
            hops.allSatisfy({ $0.gateway.bitCount == destination.bitCount })
        else {
            return message.finish(
                verb: "replace route", interface: nil, problem: "its next hops have not one destination and family")
        }
        var header = rtmsg()
        header.rtm_family = destination.netlinkFamily
        header.rtm_dst_len = UInt8(clamping: prefixLength)
        header.rtm_table = UInt8(RT_TABLE_MAIN.rawValue)
        header.rtm_protocol = UInt8(RTPROT_STATIC)
        header.rtm_type = UInt8(RTN_UNICAST)
        header.rtm_scope = UInt8(RT_SCOPE_UNIVERSE.rawValue)
        message.putStructure(header)
        if prefixLength > 0 { message.put(RTA_DST.rawValue, bytes: destination.bytes) }
        // rtnexthop: length (2), flags (1), weight - 1 (1), interface (4), then RTA_GATEWAY: length, type, address.
        let addressLength = destination.bitCount / 8
        let hopLength = 8 + 4 + addressLength
        message.put(
            RTA_MULTIPATH.rawValue,
            bytes: hops.flatMap { hop -> [UInt8] in
                [UInt8(hopLength), 0, 0, 0, 0, 0, 0, 0, UInt8(4 + addressLength), 0, UInt8(RTA_GATEWAY.rawValue), 0]
                    + hop.gateway.bytes
            })
        for (index, hop) in hops.enumerated() {
            guard let device = hop.device else { continue }
            message.putIndex(device, beforeEnd: (hops.count - index) * hopLength - 4)
        }
        let words = hops.map { "\($0.gateway)" }.joined(separator: " and ")
        return message.finish(
            verb: "replace route \(destination)/\(prefixLength) via \(words)", interface: nil,
            problem: problem(prefixLength: prefixLength, of: destination))
    }

    /// Deletes the first route that has what is given.
    ///
    /// Equals `ip route del DESTINATION via GATEWAY dev NAME metric METRIC`
    public static func deleteRoute(_ route: Route) -> NetlinkRequest {
        request(route, type: RTM_DELROUTE, flags: NLM_F_ACK, word: "delete")
    }

    /// A neighbour that is never asked for and never forgotten; replaces what was there.
    ///
    /// Equals `ip neigh replace ADDRESS lladdr MAC dev NAME nud permanent`
    public static func setPermanentNeighbor(
        _ address: NetworkAddress, mac: MACAddress, on link: LinkReference
    ) -> NetlinkRequest {
        var message = MessageBuilder(type: RTM_NEWNEIGH, flags: NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE)
        message.putNeighbor(address, on: link, state: UInt16(NUD_PERMANENT))
        message.put(NDA_LLADDR, mac: mac)
        return message.finish(verb: "set neighbour \(address) to \(mac)", interface: link.description)
    }

    /// Equals `ip neigh del ADDRESS dev NAME`
    public static func deleteNeighbor(_ address: NetworkAddress, on link: LinkReference) -> NetlinkRequest {
        var message = MessageBuilder(type: RTM_DELNEIGH)
        message.putNeighbor(address, on: link, state: 0)
        return message.finish(verb: "delete neighbour \(address)", interface: link.description)
    }

    private static func request(
        _ route: Route, type: some BinaryInteger, flags: some BinaryInteger, word: String
    ) -> NetlinkRequest {
        var message = MessageBuilder(type: type, flags: flags)
        var header = rtmsg()
        header.rtm_family = route.destination.netlinkFamily
        header.rtm_dst_len = UInt8(clamping: route.prefixLength)
        // Numbers from 256 on stand in the attribute alone.
        header.rtm_table = UInt8(clamping: route.table ?? UInt32(RT_TABLE_MAIN.rawValue))
        if word == "delete" {
            // Any scope, any origin, any type.
            header.rtm_scope = UInt8(RT_SCOPE_NOWHERE.rawValue)
        } else {
            header.rtm_protocol = UInt8(RTPROT_STATIC)
            header.rtm_type = UInt8(RTN_UNICAST)
            let isDirect = route.gateway == nil && route.destination.bitCount == 32
            header.rtm_scope = UInt8(isDirect ? RT_SCOPE_LINK.rawValue : RT_SCOPE_UNIVERSE.rawValue)
        }
        if route.isOnLink { header.rtm_flags = UInt32(RTNH_F_ONLINK) }
        message.putStructure(header)
        if route.prefixLength > 0 { message.put(RTA_DST.rawValue, bytes: route.destination.bytes) }
        if let gateway = route.gateway { message.put(RTA_GATEWAY.rawValue, bytes: gateway.bytes) }
        if let device = route.device { message.put(RTA_OIF.rawValue, indexOf: device) }
        if let table = route.table { message.put(RTA_TABLE.rawValue, u32: table) }
        if let metric = route.metric { message.put(RTA_PRIORITY.rawValue, u32: metric) }
        var problem = problem(prefixLength: route.prefixLength, of: route.destination)
        if let gateway = route.gateway, gateway.bitCount != route.destination.bitCount {
            problem = "the gateway \(gateway) is not of the destination's family"
        }
        return message.finish(verb: "\(word) route \(route)", interface: nil, problem: problem)
    }
}

extension MessageBuilder {
    fileprivate mutating func putNeighbor(_ address: NetworkAddress, on link: LinkReference, state: UInt16) {
        var header = ndmsg()
        header.ndm_family = address.netlinkFamily
        header.ndm_state = state
        putStructure(header)
        putIndex(link, ofStructureSize: MemoryLayout<ndmsg>.size, fieldOffset: 4)
        put(NDA_DST, bytes: address.bytes)
    }
}
