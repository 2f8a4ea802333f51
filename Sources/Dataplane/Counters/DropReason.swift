/// Why a frame was discarded. Every discard of a dataplane is one of these, and each has a counter.
public enum DropReason: UInt8, CaseIterable, Sendable, Hashable, BitwiseCopyable {
    // The frame itself
    case notForUs
    case malformedFrame
    case unsupportedEtherType
    case vlanTag
    case malformedARP
    case malformedIPv4
    case malformedIPv6
    case malformedDiscovery
    case malformedTransport
    case badHeaderChecksum
    case sourceAddressInvalid
    case multicast
    case fragment

    // Where it should have gone
    case noRoute
    case timeToLiveExceeded
    case packetTooBig
    case neighborPending
    case neighborQueueFull
    case neighborUnreachable
    case neighborTableFull
    case addressConflict
    case notARouter
    case carrierDown
    case noHostSide
    case outputFull

    // Flows and translation
    case noFlow
    case notSYN
    case flowTableFull
    case flowConflict
    case noSession
    case translationPortsExhausted
    case noMapping
    case mappingFilter
    case noMemberUp
    case icmpWithoutFlow

    // Tunnels and direct server return
    case ipOptions
    case tunnelStranger
    case tunnelMalformed
    case tunnelNested
    case tunnelDestination
    case tunnelCongested

    // Stateful filtering and redundancy
    case standby
    case invalidTCPState
    case policy
    case announcement
    case virtualAddress
}

extension DropReason {
    /// As in the counter `drop.<name>`: words in lower case, joined by hyphens.
    public var name: String {
        switch self {
        case .notForUs: "not-for-us"
        case .malformedFrame: "malformed-frame"
        case .unsupportedEtherType: "unsupported-ether-type"
        case .vlanTag: "vlan-tag"
        case .malformedARP: "malformed-arp"
        case .malformedIPv4: "malformed-ipv4"
        case .malformedIPv6: "malformed-ipv6"
        case .malformedDiscovery: "malformed-discovery"
        case .malformedTransport: "malformed-transport"
        case .badHeaderChecksum: "bad-header-checksum"
        case .sourceAddressInvalid: "source-address-invalid"
        case .multicast: "multicast"
        case .fragment: "fragment"
        case .noRoute: "no-route"
        case .timeToLiveExceeded: "time-to-live-exceeded"
        case .packetTooBig: "packet-too-big"
        case .neighborPending: "neighbor-pending"
        case .neighborQueueFull: "neighbor-queue-full"
        case .neighborUnreachable: "neighbor-unreachable"
        case .neighborTableFull: "neighbor-table-full"
        case .addressConflict: "address-conflict"
        case .notARouter: "not-a-router"
        case .carrierDown: "carrier-down"
        case .noHostSide: "no-host-side"
        case .outputFull: "output-full"
        case .noFlow: "no-flow"
        case .notSYN: "not-syn"
        case .flowTableFull: "flow-table-full"
        case .flowConflict: "flow-conflict"
        case .noSession: "no-session"
        case .translationPortsExhausted: "translation-ports-exhausted"
        case .noMapping: "no-mapping"
        case .mappingFilter: "mapping-filter"
        case .noMemberUp: "no-member-up"
        case .icmpWithoutFlow: "icmp-without-flow"
        case .ipOptions: "ip-options"
        case .tunnelStranger: "tunnel-stranger"
        case .tunnelMalformed: "tunnel-malformed"
        case .tunnelNested: "tunnel-nested"
        case .tunnelDestination: "tunnel-destination"
        case .tunnelCongested: "tunnel-congested"
        case .standby: "standby"
        case .invalidTCPState: "invalid-tcp-state"
        case .policy: "policy"
        case .announcement: "announcement"
        case .virtualAddress: "virtual-address"
        }
    }

    /// One sentence that a person understands.
    public var meaning: String {
        switch self {
        case .notForUs:
            "The frame's destination MAC address is none of this box's; a switch that does not know an address sends such frames to every port."
        case .malformedFrame: "The frame is shorter than an Ethernet header, or longer than the port's MTU allows."
        case .unsupportedEtherType: "The frame carries a protocol that this box does not speak on that port."
        case .vlanTag: "The frame has a VLAN tag, and this box has no VLANs."
        case .malformedARP: "The ARP packet is truncated, or is not about Ethernet and IPv4."
        case .malformedIPv4: "The IPv4 packet is truncated, or its version or lengths contradict each other."
        case .malformedIPv6: "The IPv6 packet is truncated, or its lengths or extension headers contradict each other."
        case .malformedDiscovery:
            "The message of IPv6 Neighbour Discovery came from beyond the link, or its checksum or options are wrong."
        case .malformedTransport: "The TCP, UDP or ICMP header is truncated, or its lengths contradict the packet's."
        case .badHeaderChecksum: "The IPv4 header checksum is wrong."
        case .sourceAddressInvalid:
            "The source address is one that no packet on a link may have: multicast, broadcast, loopback, unspecified, or this box's own."
        case .multicast: "A multicast or broadcast packet that nothing in this box has subscribed to."
        case .fragment: "A fragment of an IP packet, which cannot be assigned to a flow without reassembly."
        case .noRoute: "No route leads to the destination; the sender was told so by ICMP."
        case .timeToLiveExceeded: "The time to live ran out here; the sender was told so by ICMP."
        case .packetTooBig:
            "The packet exceeds the MTU of the port it would leave by and must not be fragmented, or this box does not fragment; the sender was told so by ICMP."
        case .neighborPending: "The neighbour's MAC address is not known yet and there was no room to hold the frame."
        case .neighborQueueFull:
            "Too many frames wait for this neighbour's MAC address already; the oldest was dropped."
        case .neighborUnreachable: "The neighbour did not answer ARP requests or neighbour solicitations."
        case .neighborTableFull: "The neighbour table is full of entries in use."
        case .addressConflict: "Somebody else on the link claims an address of this box."
        case .notARouter: "The packet is for somebody else, and this box does not route for others."
        case .carrierDown: "The port that the frame would leave by has no carrier."
        case .noHostSide: "The packet is for the box itself, which has no host side on that port."
        case .outputFull: "The output queue was full."
        case .noFlow: "The packet belongs to no flow that this box knows."
        case .notSYN: "A TCP packet of an unknown flow that is not the SYN which opens a connection."
        case .flowTableFull: "The flow table is full; existing flows are kept and the new one was refused."
        case .flowConflict: "Another flow has the same addresses and ports on the far side."
        case .noSession: "The packet belongs to no session that this firewall knows, and may not open one."
        case .translationPortsExhausted: "Every source port that this box may translate the flow to is taken."
        case .noMapping: "The packet is for an external address of the NAT, at a port that no inside endpoint has."
        case .mappingFilter: "The packet's sender is none that the inside endpoint has sent to through its mapping."
        case .noMemberUp: "No member of the service's pool is up."
        case .icmpWithoutFlow: "An ICMP error that is about no flow of this box."
        case .ipOptions:
            "The packet has IPv4 options or IPv6 extension headers, which neither direct server return nor a tunnel carries on."
        case .tunnelStranger: "A tunnel packet from a source that is none of the tunnel's far ends."
        case .tunnelMalformed:
            "What the tunnel carries is no complete packet of its family, or its GRE header is not a plain one."
        case .tunnelNested: "A tunnel packet within a tunnel packet."
        case .tunnelDestination: "What the tunnel carries is for an address that is not behind this end of it."
        case .tunnelCongested:
            "A router marked the tunnel packet as congested, and what it carries cannot bear the mark (RFC 6040)."
        case .standby: "This box is the standby of its pair; the peer owns the traffic."
        case .invalidTCPState: "The TCP packet does not fit the state of its connection."
        case .policy: "A rule denies the packet."
        case .announcement:
            "The control connection announces a data connection that is not its sender's own, or not one that it may have."
        case .virtualAddress:
            "The packet is for a virtual address, on which nothing listens: the Active forwards and answers ARP (RFC 9568, Accept_Mode false)."
        }
    }
}
