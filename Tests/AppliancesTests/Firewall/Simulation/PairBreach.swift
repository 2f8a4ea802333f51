import Redundancy
import Testing

/// What is broken on purpose in a pair, so that a promise is.
struct PairBreach: CustomTestStringConvertible {
    var name: String
    /// One that shows it, which is tried first: to look for one takes long.
    var seed: UInt64 = 1
    var rules: PairRules = []
    /// Both boxes grant mappings from the same ports.
    var sharesPorts = false
    /// Pushes are activated without comparing.
    var pushesUnseen = false
    /// The second box does not keep the first one's pinholes.
    var forgetsPinholes = false
    /// What no pinhole lets in, the rules do.
    var allowsStrangers = false
    /// A mapping ends with its pool, not with its sessions.
    var freesWithPool = false

    var testDescription: String { name }

    static let all: [PairBreach] = [
        .init(name: "an Active does not yield to the better claim", seed: 4, rules: .yieldsToBetterClaim),
        .init(name: "a box preempts before it has the sessions", rules: .waitsForSessions),
        .init(
            name: "silent advertisements take the role although the heartbeat is received", seed: 2,
            rules: .trustsHeartbeat),
        .init(name: "a box hands over and goes on forwarding", rules: .stopsBeforeHandingOver),
        .init(name: "a role that nobody took is not taken back", seed: 3, rules: .takesBack),
        .init(name: "a dead peer is not noticed", rules: .noticesDeath),
        .init(name: "nothing is sent again", seed: 27, rules: .resends),
        .init(name: "what was not consumed is acknowledged", rules: .acknowledgesWhatItConsumed),
        .init(name: "messages for another incarnation are taken", seed: 26, rules: .refusesOtherEpochs),
        .init(name: "a peer that appears does not get every session", rules: .tellsEverything),
        .init(name: "a box takes over without what it was sent", rules: .commitsFirst),
        .init(name: "new sessions are not recorded", rules: .notesSessions),
        .init(name: "an Active without a link keeps the role", rules: .leavesWithLinks),
        .init(name: "both boxes grant the same ports", seed: 13, sharesPorts: true),
        .init(name: "the second box does not keep the first one's pinholes", forgetsPinholes: true),
        .init(name: "the rules let strangers in where no pinhole does", allowsStrangers: true),
        .init(name: "a mapping is free again when its pool goes, though a session has it", freesWithPool: true),
        .init(name: "pushes are activated without comparing", pushesUnseen: true),
    ]
}
