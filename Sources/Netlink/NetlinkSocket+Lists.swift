internal import CNetlink
internal import Glibc
internal import SystemPackage

extension NetlinkSocket {
    /// How often a list is read again that changed while the kernel wrote it.
    static var mostAttempts: Int { 32 }

    /// All interfaces of the namespace.
    ///
    /// Equals `ip link show`
    public mutating func links() throws(NetlinkError) -> [Link] {
        try list(RTM_GETLINK, ifinfomsg(), verb: "list links", of: RTM_NEWLINK) { Link($0) }
    }

    /// One interface, or nil where there is none.
    ///
    /// Equals `ip link show NAME`
    public mutating func link(_ reference: LinkReference) throws(NetlinkError) -> Link? {
        let index: Int32
        switch reference {
        case .index(let known): index = known
        case .name(let name):
            do { index = try self.index(of: name) } catch {
                if error.kind == .noSuchInterface { return nil }
                throw error
            }
        }
        var message = MessageBuilder(type: RTM_GETLINK, flags: 0)
        message.putStructure(ifinfomsg(index: index))
        let verb = "read the link"
        var request = message.finish(verb: verb, interface: reference.description)
        let sequence = try sendNumbered(&request)
        while true {
            for reply in try receive(verb: verb) where reply.sequence == sequence && reply.port == portID {
                if let result = reply.acknowledgement {
                    if result.code == ENODEV { return nil }
                    throw NetlinkError(
                        .refused, verb: verb, interface: reference.description, errno: Errno(rawValue: result.code),
                        kernelMessage: result.message)
                }
                return Link(reply)
            }
        }
    }

    /// All addresses of the namespace, of both families.
    ///
    /// Equals `ip addr show`
    public mutating func addresses() throws(NetlinkError) -> [InterfaceAddress] {
        try list(RTM_GETADDR, ifaddrmsg(), verb: "list addresses", of: RTM_NEWADDR) { InterfaceAddress($0) }
    }

    /// All neighbours of the namespace, of both families.
    ///
    /// Equals `ip neigh show`
    public mutating func neighbors() throws(NetlinkError) -> [Neighbor] {
        try list(RTM_GETNEIGH, ndmsg(), verb: "list neighbours", of: RTM_NEWNEIGH) { Neighbor($0) }
    }

    /// The unicast routes of the main table, of both families.
    ///
    /// Equals `ip route show` and `ip -6 route show`
    public mutating func routes() throws(NetlinkError) -> [Route] {
        try list(RTM_GETROUTE, rtmsg(), verb: "list routes", of: RTM_NEWROUTE) { Route($0) }
    }

    mutating func list<Header: BitwiseCopyable, Element>(
        _ type: some BinaryInteger, _ header: Header, verb: String, of entry: some BinaryInteger,
        _ parse: (Reply) -> Element?
    ) throws(NetlinkError) -> [Element] {
        for _ in 0..<Self.mostAttempts {
            var message = MessageBuilder(type: type, flags: NLM_F_DUMP)
            message.putStructure(header)
            var request = message.finish(verb: verb, interface: nil)
            let sequence = try sendNumbered(&request)
            var elements: [Element] = []
            var isInterrupted = false
            var isDone = false
            while !isDone {
                for reply in try receive(verb: verb) where reply.sequence == sequence && reply.port == portID {
                    isInterrupted = isInterrupted || reply.isInterrupted
                    if let result = reply.acknowledgement {
                        guard result.code == 0 else {
                            throw NetlinkError(
                                .refused, verb: verb, errno: Errno(rawValue: result.code),
                                kernelMessage: result.message)
                        }
                        isDone = true
                    } else if reply.type == Int32(entry), let element = parse(reply) {
                        elements.append(element)
                    }
                }
            }
            if !isInterrupted { return elements }
        }
        throw NetlinkError(.interrupted, verb: verb)
    }

    private mutating func sendNumbered(_ request: inout NetlinkRequest) throws(NetlinkError) -> UInt32 {
        let sequence = nextSequence()
        request.bytes.withUnsafeMutableBytes {
            $0.storeBytes(of: sequence, toByteOffset: NetlinkRequest.sequenceOffset, as: UInt32.self)
        }
        try send(request.bytes, verb: request.verb)
        return sequence
    }
}

extension Route {
    /// nil for what is not a unicast route of the main table.
    init?(_ reply: Reply) {
        guard let header = reply.structure(rtmsg.self), header.rtm_type == UInt8(RTN_UNICAST),
            header.rtm_table == UInt8(RT_TABLE_MAIN.rawValue),
            let unspecified = NetworkAddress.unspecified(family: header.rtm_family)
        else { return nil }
        self.init(
            to: unspecified, prefixLength: Int(header.rtm_dst_len),
            isOnLink: header.rtm_flags & UInt32(RTNH_F_ONLINK) != 0)
        for attribute in reply.attributes(after: MemoryLayout<rtmsg>.size) {
            switch Int(attribute.type) {
            case Int(RTA_DST.rawValue): destination = NetworkAddress(attribute.bytes) ?? destination
            case Int(RTA_GATEWAY.rawValue): gateway = NetworkAddress(attribute.bytes)
            case Int(RTA_OIF.rawValue): device = attribute.u32.map { .index(Int32(bitPattern: $0)) }
            case Int(RTA_PRIORITY.rawValue): metric = attribute.u32
            case Int(RTA_MULTIPATH.rawValue): gateways = Self.gateways(of: attribute.bytes)
            default: break
            }
        }
    }

    /// `rtnexthop`s: length (2), flags (1), weight − 1 (1), interface (4), then attributes
    private static func gateways(of bytes: UnsafeRawBufferPointer) -> [NetworkAddress] {
        var gateways: [NetworkAddress] = []
        var rest = bytes[...]
        while rest.count >= 8 {
            let hop = UnsafeRawBufferPointer(rebasing: rest)
            let length = Int(hop.loadUnaligned(as: UInt16.self))
            guard length >= 8, length <= hop.count else { break }
            for attribute in Attributes(next: hop.baseAddress! + 8, remaining: length - 8)
            where attribute.type == UInt16(RTA_GATEWAY.rawValue) {
                if let gateway = NetworkAddress(attribute.bytes) {
                    gateways += Array(repeating: gateway, count: Int(hop[3]) + 1)
                }
            }
            rest = rest.dropFirst((length + 3) / 4 * 4)
        }
        return gateways
    }
}
