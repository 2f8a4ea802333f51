internal import CNetlink
internal import Glibc
public import Wire

extension NetlinkRequest {
    private static let createFlags = NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL

    /// Creates both ends of a veth pair with their final names, each in its namespace.
    ///
    /// Equals `ip link add NAME address MAC mtu MTU netns NS type veth peer name … address … mtu … netns …`
    public static func createVethPair(_ end: VethEnd, _ peer: VethEnd) -> NetlinkRequest {
        var message = MessageBuilder(type: RTM_NEWLINK, flags: createFlags)
        message.putStructure(ifinfomsg(index: end.index ?? 0))
        message.put(end)
        message.nest(IFLA_LINKINFO) {
            $0.put(IFLA_INFO_KIND, string: "veth")
            $0.nest(IFLA_INFO_DATA) {
                $0.nest(VETH_INFO_PEER) {
                    $0.putStructure(ifinfomsg(index: peer.index ?? 0))
                    $0.put(peer)
                }
            }
        }
        return message.finish(
            verb: "create veth pair '\(end.name)' – '\(peer.name)'", interface: nil, changesNames: true)
    }

    /// Creates a switch that sends nothing by itself, and shows no frame to the host's packet filter: no spanning tree,
    /// no multicast querier or snooping, no netfilter.
    ///
    /// Equals `ip link add NAME address MAC mtu MTU type bridge stp_state 0 mcast_snooping 0 nf_call_iptables 0
    /// nf_call_ip6tables 0 nf_call_arptables 0`
    public static func createBridge(
        _ name: String, mac: MACAddress? = nil, mtu: Int? = nil, index: Int32? = nil, namespace: Int32? = nil
    ) -> NetlinkRequest {
        var message = MessageBuilder(type: RTM_NEWLINK, flags: createFlags)
        message.putStructure(ifinfomsg(index: index ?? 0))
        message.put(VethEnd(name, mac: mac, mtu: mtu, namespace: namespace))
        message.nest(IFLA_LINKINFO) {
            $0.put(IFLA_INFO_KIND, string: "bridge")
            $0.nest(IFLA_INFO_DATA) {
                $0.put(IFLA_BR_STP_STATE, u32: 0)
                $0.put(IFLA_BR_MCAST_SNOOPING, u8: 0)
                for filter in [IFLA_BR_NF_CALL_IPTABLES, IFLA_BR_NF_CALL_IP6TABLES, IFLA_BR_NF_CALL_ARPTABLES] {
                    $0.put(filter, u8: 0)
                }
            }
        }
        return message.finish(verb: "create bridge '\(name)'", interface: nil, changesNames: true)
    }

    /// Creates a tunnel device that takes packets from any far end; `EOPNOTSUPP` where the kernel has no such kind.
    ///
    /// Equals `ip link add NAME type KIND local ADDRESS remote any`; of IPv6 `type ip6tnl … mode ip6ip6`
    /// - Parameters:
    ///   - kind: `ipip`, `gre` or `ip6tnl`
    ///   - local: of the kind's family
    public static func createTunnel(_ kind: String, name: String, local: IPAddress) -> NetlinkRequest {
        var message = MessageBuilder(type: RTM_NEWLINK, flags: createFlags)
        message.putStructure(ifinfomsg(index: 0))
        message.put(IFLA_IFNAME, name: name)
        message.nest(IFLA_LINKINFO) {
            $0.put(IFLA_INFO_KIND, string: kind)
            $0.nest(IFLA_INFO_DATA) {
                // linux/if_tunnel.h: IFLA_IPTUN_LOCAL is 2, IFLA_GRE_LOCAL is 6, IFLA_IPTUN_PROTO is 9.
                $0.put(kind == "gre" ? 6 : 2, bytes: local.bytes)
                if !local.isIPv4 { $0.put(9, u8: IPProtocol.ipv6.rawValue) }
            }
        }
        return message.finish(verb: "create tunnel '\(name)' of kind \(kind)", interface: nil, changesNames: true)
    }

    /// Makes an interface a port of a bridge.
    ///
    /// Equals `ip link set NAME master BRIDGE`
    public static func setMaster(of link: LinkReference, to bridge: LinkReference) -> NetlinkRequest {
        change(link, verb: "make it a port of bridge '\(bridge)'") { $0.put(IFLA_MASTER, indexOf: bridge) }
    }

    /// Equals `ip link set NAME nomaster`
    public static func removeMaster(of link: LinkReference) -> NetlinkRequest {
        change(link, verb: "remove it from its bridge") { $0.put(IFLA_MASTER, u32: 0) }
    }

    /// Equals `ip link set NAME up`
    public static func setUp(_ link: LinkReference) -> NetlinkRequest {
        change(link, flags: UInt32(IFF_UP), mask: UInt32(IFF_UP), verb: "set the link up")
    }

    /// Equals `ip link set NAME down`
    public static func setDown(_ link: LinkReference) -> NetlinkRequest {
        change(link, flags: 0, mask: UInt32(IFF_UP), verb: "set the link down")
    }

    /// Equals `ip link set NAME address MAC`
    public static func setMAC(_ mac: MACAddress, of link: LinkReference) -> NetlinkRequest {
        change(link, verb: "set the MAC address \(mac)") { $0.put(IFLA_ADDRESS, mac: mac) }
    }

    /// Equals `ip link set NAME mtu MTU`
    public static func setMTU(_ mtu: Int, of link: LinkReference) -> NetlinkRequest {
        change(link, verb: "set the MTU \(mtu)") { $0.put(IFLA_MTU, u32: UInt32(clamping: mtu)) }
    }

    /// The link must be down on kernels before 6.2.
    ///
    /// Equals `ip link set NAME name NEW`
    public static func rename(_ link: LinkReference, to name: String) -> NetlinkRequest {
        var message = MessageBuilder(type: RTM_SETLINK)
        message.putLink(link, byName: false)
        message.put(IFLA_IFNAME, name: name)
        return message.finish(verb: "rename it '\(name)'", interface: link.description, changesNames: true)
    }

    /// Moves a link to another namespace; its addresses and its bridge are lost.
    ///
    /// Equals `ip link set NAME netns NS`
    public static func move(_ link: LinkReference, toNamespace descriptor: Int32) -> NetlinkRequest {
        var message = MessageBuilder(type: RTM_SETLINK)
        message.putLink(link)
        message.put(IFLA_NET_NS_FD, u32: UInt32(bitPattern: descriptor))
        return message.finish(verb: "move it to another namespace", interface: link.description, changesNames: true)
    }

    /// Deletes a link; with one end of a veth pair goes the other.
    ///
    /// Equals `ip link del NAME`
    public static func deleteLink(_ link: LinkReference) -> NetlinkRequest {
        var message = MessageBuilder(type: RTM_DELLINK)
        message.putLink(link)
        return message.finish(verb: "delete the link", interface: link.description, changesNames: true)
    }

    private static func change(
        _ link: LinkReference, flags: UInt32 = 0, mask: UInt32 = 0, verb: String,
        _ attributes: (inout MessageBuilder) -> Void = { _ in }
    ) -> NetlinkRequest {
        var message = MessageBuilder(type: RTM_SETLINK)
        message.putLink(link, flags: flags, mask: mask)
        attributes(&message)
        return message.finish(verb: verb, interface: link.description)
    }
}

extension MessageBuilder {
    fileprivate mutating func put(_ end: VethEnd) {
        put(IFLA_IFNAME, name: end.name)
        if let mac = end.mac { put(IFLA_ADDRESS, mac: mac) }
        if let mtu = end.mtu { put(IFLA_MTU, u32: UInt32(clamping: mtu)) }
        if let namespace = end.namespace { put(IFLA_NET_NS_FD, u32: UInt32(bitPattern: namespace)) }
    }

    /// Names an existing link. The kernel finds a link by `IFLA_IFNAME` itself, except where that is the new name.
    fileprivate mutating func putLink(
        _ link: LinkReference, flags: UInt32 = 0, mask: UInt32 = 0, byName: Bool = true
    ) {
        putStructure(ifinfomsg(index: 0, flags: flags, mask: mask))
        switch link {
        case .name(let name) where byName: put(IFLA_IFNAME, name: name)
        default: putIndex(link, ofStructureSize: MemoryLayout<ifinfomsg>.size, fieldOffset: 4)
        }
    }
}

extension ifinfomsg {
    init(index: Int32, flags: UInt32 = 0, mask: UInt32 = 0) {
        self.init()
        ifi_index = index
        ifi_flags = flags
        ifi_change = mask
    }
}
