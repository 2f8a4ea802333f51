#if MUTANTS
    internal import Glibc
    internal import Synchronization
#endif

/// A box that is broken on purpose in one place, so that the labs and the tests can show that they notice.
///
/// A hook stands where the box does the right thing: `if Mutant.isOn(.forwardsTwice) { … }`. In every build but that
/// of `scripts/mutants` the question is the constant `false`, which the compiler removes with all that depends on it.
/// What each does, and who is to notice: `Tests/Mutants/Mutant+Declaration.swift`.
public enum Mutant: String, CaseIterable, Sendable {
    // Frames
    case forwardsTwice = "forwards-twice"
    case forwardsEach100thTwice = "forwards-each-100th-twice"
    case dropsEach50th = "drops-each-50th"
    case straysEach200th = "strays-each-200th"
    case wrongTransportChecksum = "wrong-transport-checksum"
    case wrongHeaderChecksum = "wrong-header-checksum"
    case keepsTimeToLive = "keeps-time-to-live"
    case quotesTooLittle = "quotes-too-little"
    case hidesPacketTooBig = "hides-packet-too-big"
    case reportsLinkMTU = "reports-link-mtu"
    case clampsNothing = "clamps-nothing"
    case tunnelMayFragment = "tunnel-may-fragment"

    // Sessions and translation
    case allowsEverything = "allows-everything"
    case keepsDeniedSessions = "keeps-denied-sessions"
    case givesPortTwice = "gives-port-twice"
    case keepsPorts = "keeps-ports"
    case confusesMappings = "confuses-mappings"

    // The pair
    case noGratuitousARP = "no-gratuitous-arp"
    case announcesOwnMAC = "announces-own-mac"
    case sendsFromOwnMAC = "sends-from-own-mac"
    case noSessionSync = "no-session-sync"
    case noBulkTransfer = "no-bulk-transfer"
    case tellsSessionsLate = "tells-sessions-late"
    case tellsWrongMapping = "tells-wrong-mapping"
    case tellsNoPinholes = "tells-no-pinholes"
    case defersNothing = "defers-nothing"
    case standbyForwards = "standby-forwards"
    case standbyLooksUp = "standby-looks-up"
    case conduitLowersTimeToLive = "conduit-lowers-time-to-live"
    case conduitEnds = "conduit-ends"
    case takesOverLate = "takes-over-late"
    case neverYields = "never-yields"
    case ignoresPriority = "ignores-priority"
    case preemptsEmpty = "preempts-empty"
    case resignsSilently = "resigns-silently"
    case ignoresLostLinks = "ignores-lost-links"
    case advertisesWithTTL254 = "advertises-with-ttl-254"
    case pairUsesTTL254 = "pair-uses-ttl-254"

    // The balancer
    case fastPathRefreshes = "fast-path-refreshes"
    case rewritesDestination = "rewrites-destination"
    case translatesAlways = "translates-always"
    case hashIgnoresPort = "hash-ignores-port"
    case roundRobinTakesFirst = "round-robin-takes-first"
    case forgetsMembers = "forgets-members"
    case ignoresWeights = "ignores-weights"
    case servesDeadMembers = "serves-dead-members"
    case takesMembersOutSilently = "takes-members-out-silently"
    case monitorNeverMarksDown = "monitor-never-marks-down"
    case monitorAsksDirectly = "monitor-asks-directly"

    // The gateway firewall
    case refusesSilently = "refuses-silently"
    case statesNeverAge = "states-never-age"
    case firstPacketTwiceAsLong = "first-packet-twice-as-long"
    case ignoresFIN = "ignores-fin"
    case picksUpAnything = "picks-up-anything"
}

#if MUTANTS
    extension Mutant {
        /// The one that was asked for, by its name.
        private static let chosen: Mutant? = {
            guard let name = environment("FAILOVERLAB_MUTANT") else { return nil }
            guard let mutant = Mutant(rawValue: name) else {
                let all = allCases.map(\.rawValue).joined(separator: ", ")
                fatalError("there is no mutant '\(name)'; there are \(all)")
            }
            return mutant
        }()
        /// The one that is on in this process. Written while the process has one thread.
        nonisolated(unsafe) private static var current = chosen
        private static let asked = Atomic<Int>(0)

        private static func environment(_ name: String) -> String? {
            getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
        }

        public static func isOn(_ mutant: Mutant) -> Bool { current == mutant }

        /// True for each `count`th time that it is asked while the mutant is on.
        public static func isTurn(_ mutant: Mutant, each count: Int) -> Bool {
            current == mutant && asked.wrappingAdd(1, ordering: .relaxed).newValue % count == 0
        }

        /// No box runs in this process: what judges must not be broken.
        public static func turnOff() { current = nil }

        /// The process of a node begins; with `FAILOVERLAB_MUTANT_NODE` only that one's box is broken.
        public static func begin(node: String) {
            let wanted = environment("FAILOVERLAB_MUTANT_NODE")
            current = wanted == nil || wanted == node ? chosen : nil
        }
    }
#else
    extension Mutant {
        @inlinable @inline(__always) public static func isOn(_ mutant: Mutant) -> Bool { false }
        @inlinable @inline(__always) public static func isTurn(_ mutant: Mutant, each count: Int) -> Bool { false }
        @inlinable @inline(__always) public static func turnOff() {}
        @inlinable @inline(__always) public static func begin(node: String) {}
    }
#endif
