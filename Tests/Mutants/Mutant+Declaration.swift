import Mutants

extension Mutant {
    /// What a mutant does wrong, and who is asked first whether it is noticed.
    struct Declaration: Sendable {
        var sentence: String
        /// The test target of the module that is broken, and where only some of its suites come into question, a
        /// pattern of their names.
        var tests: (target: String, suites: String?)
        /// Labs of the catalogue, each with a variant: `fast-path-mac-failover/tcp-fast-path`.
        var labs: [String]

        init(_ sentence: String, tests target: String, _ suites: String? = nil, labs: [String]) {
            self.sentence = sentence
            tests = (target, suites)
            self.labs = labs
        }
    }

    var declaration: Declaration {
        switch self {
        // MARK: Frames
        case .forwardsTwice:
            Declaration(
                "Each forwarded frame leaves twice.", tests: "DataplaneTests",
                labs: [Self.pair + "/maintenance", Self.fastPath + "/udp-per-packet", Self.direct + "/l2-udp"])
        case .forwardsEach100thTwice:
            Declaration(
                "Each hundredth forwarded frame leaves twice.", tests: Self.boxes,
                labs: [Self.pair + "/maintenance", Self.fastPath + "/udp-per-packet", Self.direct + "/l2-udp"])
        case .dropsEach50th:
            Declaration(
                "Each 50th frame is dropped and counted as forwarded.", tests: Self.boxes,
                labs: [Self.pair + "/maintenance", Self.direct + "/l2-udp"])
        case .straysEach200th:
            Declaration(
                "A broadcast that nobody asked for follows each 200th forwarded frame.", tests: Self.boxes,
                labs: [Self.fastPath + "/udp-per-packet", Self.direct + "/l2-udp"])
        case .wrongTransportChecksum:
            Declaration(
                "The checksum of TCP and UDP is wrong after a translation.", tests: "WireTests",
                labs: [Self.pair + "/maintenance", Self.fastPath + "/tcp-proxy", Self.fastPath + "/udp-per-packet"])
        case .wrongHeaderChecksum:
            Declaration(
                "The checksum of the IPv4 header is not corrected for the time to live.", tests: "WireTests",
                labs: [Self.pair + "/maintenance"])
        case .keepsTimeToLive:
            Declaration(
                "The time to live is not lowered.", tests: "WireTests",
                labs: [Self.direct + "/l2-tcp", Self.pair + "/lan-link-failure", "ipv6-path-mtu/passed"])
        case .quotesTooLittle:
            Declaration(
                "An ICMP error with the minimal quote has the header alone, without the ports.",
                tests: "WireTests", labs: [Self.late + "/auto-map"])
        case .hidesPacketTooBig:
            Declaration(
                "Nobody is told that a packet is too big.", tests: "DataplaneTests",
                labs: [Self.direct + "/full-size-path-mtu", "ipv6-path-mtu/passed"])
        case .reportsLinkMTU:
            Declaration(
                "\"Packet too big\" names the MTU of the link and not what fits.", tests: "DataplaneTests",
                labs: [Self.direct + "/full-size-path-mtu"])
        case .clampsNothing:
            Declaration(
                "The segment size of a SYN is not lowered for a tunnel.", tests: "WireTests",
                labs: [Self.direct + "/full-size-clamped-by-the-member"])
        case .tunnelMayFragment:
            Declaration(
                "Outer headers of tunnels allow fragmentation.", tests: "DataplaneTests",
                labs: [Self.direct + "/ipip-tcp"])

        // MARK: Sessions and translation
        case .allowsEverything:
            Declaration(
                "Packets pass that no rule allows.", tests: "DataplaneTests",
                labs: [Self.pair + "/pinhole-without-application-gateway"])
        case .keepsDeniedSessions:
            Declaration(
                "A rule that goes ends none of its sessions.", tests: "DataplaneTests",
                labs: [Self.pair + "/push-delete-active-first"])
        case .givesPortTwice:
            Declaration(
                "A translation port is given to the next flow, too.", tests: "DataplaneTests",
                labs: [Self.fastPath + "/tcp-fast-path"])
        case .keepsPorts:
            Declaration(
                "A translation port never comes back.", tests: "DataplaneTests",
                labs: [Self.fastPath + "/virtual-mac-tcp-fast-path"])
        case .confusesMappings:
            Declaration(
                "All ports of an inside address share one mapping.", tests: "DataplaneTests",
                labs: [Self.pair + "/maintenance"])

        // MARK: The pair
        case .noGratuitousARP:
            Declaration(
                "A new Active announces no address.", tests: Self.boxes, Self.firewalls,
                labs: [Self.fastPath + "/tcp-fast-path"])
        case .announcesOwnMAC:
            Declaration(
                "Addresses are announced with the MAC address of the interface.", tests: Self.boxes,
                Self.firewalls, labs: [Self.pair + "/pool-add-unit"])
        case .sendsFromOwnMAC:
            Declaration(
                "The Active sends from the MAC address of its interface.", tests: Self.boxes, Self.firewalls,
                labs: [Self.pair + "/device-failure"])
        case .noSessionSync:
            Declaration(
                "The peer is told of no new session.", tests: Self.boxes, Self.firewalls,
                labs: [Self.pair + "/device-failure"])
        case .noBulkTransfer:
            Declaration(
                "A peer that appears is told of no session that exists.", tests: Self.boxes, Self.firewalls,
                labs: [Self.pair + "/return", Self.pair + "/pool-restart"])
        case .tellsSessionsLate:
            Declaration(
                "Records of sessions wait two seconds before they leave.", tests: "RedundancyTests",
                labs: [Self.pair + "/device-failure"])
        case .tellsWrongMapping:
            Declaration(
                "Records of sessions have another translated port.", tests: Self.boxes, Self.firewalls,
                labs: [Self.pair + "/device-failure"])
        case .tellsNoPinholes:
            Declaration(
                "The peer is told of no pinhole.", tests: Self.boxes, Self.firewalls,
                labs: [Self.pair + "/pinhole"])
        case .defersNothing:
            Declaration(
                "Packets do not wait until the peer knows their session, where the lab asks for it.",
                tests: Self.boxes, Self.firewalls, labs: [Self.pair + "/embryonic-syn-ack-lost-defer"])
        case .standbyForwards:
            Declaration(
                "The standby forwards what it receives.", tests: Self.boxes, Self.firewalls,
                labs: [Self.fastPath + "/tcp-fast-path", Self.pair + "/lan-link-failure"])
        case .standbyLooksUp:
            Declaration(
                "The passive box looks a packet up before it hands it on.", tests: Self.boxes, Self.firewalls,
                labs: [Self.pair + "/lan-link-failure"])
        case .conduitLowersTimeToLive:
            Declaration(
                "The passive box lowers the time to live of what it hands on.", tests: Self.boxes, Self.firewalls,
                labs: [Self.pair + "/lan-link-failure"])
        case .conduitEnds:
            Declaration(
                "The passive box hands nothing on.", tests: Self.boxes, Self.firewalls,
                labs: [Self.pair + "/embryonic-syn-ack-at-passive"])
        case .takesOverLate:
            Declaration(
                "A takeover comes 250 ms later than the timers say.", tests: "RedundancyTests",
                labs: [Self.pair + "/device-failure", Self.fastPath + "/udp-per-packet-power-off"])
        case .neverYields:
            Declaration(
                "An Active that meets one with the better claim stays Active.", tests: "RedundancyTests",
                labs: [Self.pair + "/everything-cut"])
        case .ignoresPriority:
            Declaration(
                "The greater address decides who is Active, whatever the priorities.", tests: "RedundancyTests",
                labs: [Self.pair + "/device-failure"])
        case .preemptsEmpty:
            Declaration(
                "A box that returns takes the role before it has the sessions.", tests: "RedundancyTests",
                labs: [Self.pair + "/return"])
        case .resignsSilently:
            Declaration(
                "The Active hands over without an advertisement of priority 0.", tests: "RedundancyTests",
                labs: [Self.pair + "/maintenance"])
        case .ignoresLostLinks:
            Declaration(
                "The election does not learn of lost links.", tests: Self.boxes, Self.firewalls,
                labs: [Self.pair + "/isp-link-failure"])
        case .advertisesWithTTL254:
            Declaration(
                "Advertisements leave with a time to live of 254.", tests: Self.boxes, Self.firewalls,
                labs: [Self.pair + "/cross-connect-cut"])
        case .pairUsesTTL254:
            Declaration(
                "Advertisements leave with a time to live of 254, and any is accepted.", tests: Self.boxes,
                Self.firewalls, labs: [Self.pair + "/maintenance", Self.pair + "/cross-connect-cut"])

        // MARK: The balancer
        case .fastPathRefreshes:
            Declaration(
                "The fast path looks up the client's MAC address for each packet.", tests: Self.boxes,
                Self.balancers, labs: [Self.fastPath + "/tcp-fast-path"])
        case .rewritesDestination:
            Declaration(
                "Direct server return rewrites the destination.", tests: Self.boxes, Self.balancers,
                labs: [Self.direct + "/l2-tcp"])
        case .translatesAlways:
            Declaration(
                "The source of each session is translated, whatever the service says.", tests: Self.boxes,
                Self.balancers, labs: [Self.hairpin + "/source-translation"])
        case .hashIgnoresPort:
            Declaration(
                "The hash that chooses the member leaves the client's port out.", tests: Self.boxes,
                Self.balancers, labs: [Self.direct + "/l2-tcp", Self.hairpin + "/two-members"])
        case .roundRobinTakesFirst:
            Declaration(
                "Round robin always takes the first member.", tests: "DataplaneTests",
                labs: ["direct-server-return-balancers/round-robin"])
        case .forgetsMembers:
            Declaration(
                "Each packet of direct server return goes to the member that the hash names now.",
                tests: Self.boxes, Self.balancers, labs: [Self.direct + "/member-added"])
        case .ignoresWeights:
            Declaration(
                "Another weight of a member changes nothing.", tests: Self.boxes, Self.balancers,
                labs: [Self.direct + "/weight-changed"])
        case .servesDeadMembers:
            Declaration(
                "A member that is down goes on getting new sessions.", tests: Self.boxes, Self.balancers,
                labs: [Self.direct + "/vip-missing-monitored", Self.hairpin + "/proxy-pair-one-killed"])
        case .takesMembersOutSilently:
            Declaration(
                "No event tells that a member left its pool.", tests: Self.boxes, Self.balancers,
                labs: [Self.direct + "/vip-missing-monitored", Self.hairpin + "/proxy-pair-one-killed"])
        case .monitorNeverMarksDown:
            Declaration(
                "A monitor goes on calling a member healthy that does not answer.", tests: "HostSideTests",
                labs: [Self.direct + "/vip-missing-monitored", Self.hairpin + "/monitor-wrong-nic"])
        case .monitorAsksDirectly:
            Declaration(
                "Monitors ask for the member's own address instead of the service's.", tests: Self.boxes,
                Self.balancers,
                labs: [Self.direct + "/monitor-through-the-tunnel", Self.direct + "/vip-missing-monitored"])

        // MARK: The gateway firewall
        case .refusesSilently:
            Declaration(
                "Packets that do not fit their state are dropped without ICMP or reset.", tests: Self.boxes,
                Self.gateways, labs: [Self.late + "/auto-map"])
        case .statesNeverAge:
            Declaration(
                "A state without packets never ends.", tests: Self.boxes, Self.gateways,
                labs: [Self.late + "/first-packet-timer"])
        case .firstPacketTwiceAsLong:
            Declaration(
                "The first-packet timer is twice as long as configured.", tests: Self.boxes, Self.gateways,
                labs: [Self.late + "/first-packet-timer"])
        case .ignoresFIN:
            Declaration(
                "A FIN moves no state.", tests: Self.boxes, Self.gateways, labs: [Self.late + "/auto-map"])
        case .picksUpAnything:
            Declaration(
                "A state begins in the middle of a connection where only a SYN may begin one.",
                tests: Self.boxes, Self.gateways, labs: [Self.direct + "/one-way-firewall"])
        }
    }

    private static let pair = "active-passive-internet-access"
    private static let fastPath = "fast-path-mac-failover"
    private static let direct = "direct-server-return"
    private static let hairpin = "load-balancer-hairpin"
    private static let late = "intermittent-502"
    private static let boxes = "AppliancesTests"
    private static let firewalls = "Firewall[A-Z]|NAT[A-Z]|PolicyChange"
    private static let balancers = "LoadBalancer|DirectReturn"
    private static let gateways = "Gateway|Intermittent502"
}
