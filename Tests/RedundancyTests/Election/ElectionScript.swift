import LabTime
import Wire

@testable import Redundancy

/// Plays a text of inputs with their times, and writes what an election does below each.
///
/// ```
/// box priority 200 preempts
/// 0ms start
///     heartbeat backup 200
/// 1ms statement backup priority 100
///     …
///     → active
/// ```
/// A line that begins with a time is an input; `box` begins anew; `until` fires each timer when it is due. Indented
/// lines are the output: what an input does, and `→` where it changes the phase. Lines that begin with `#` and empty
/// lines stay.
struct ElectionScript {
    struct Mistake: Error {
        var line: String
    }

    /// Beginning of a script's time.
    static let origin = Instant(nanoseconds: 10_000_000_000)

    private(set) var election = Election(ElectionScript.settings([]))
    private(set) var now = ElectionScript.origin
    private var sequence: UInt64 = 0
    private var output: [String] = []

    /// - Returns: the text with the outputs as they are
    static func play(_ text: String) throws -> String {
        var script = ElectionScript()
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) where !line.hasPrefix("    ") {
            script.output.append(String(line))
            if !line.isEmpty, !line.hasPrefix("#") { try script.play(String(line)) }
        }
        return script.output.joined(separator: "\n")
    }

    /// Plays one line.
    /// - Returns: its output
    mutating func outcome(of line: String) throws -> [String] {
        output = []
        try play(line)
        return output.map { String($0.dropFirst(4)) }
    }

    mutating func play(_ line: String) throws {
        let words = line.split(separator: " ").map(String.init)
        if words[0] == "box" {
            election = Election(Self.settings(Array(words.dropFirst())))
            sequence = 0
            return
        }
        guard let time = Self.duration(words[0]), words.count > 1 else { throw Mistake(line: line) }
        let instant = Self.origin + time
        if words[1] == "until" { return run(until: instant) }
        now = instant
        let before = election.phase
        if words[1] == "advance" {
            election.advance(to: now)
        } else {
            guard let input = input(Array(words.dropFirst())) else { throw Mistake(line: line) }
            switch election.step(input, at: now) {
            case .done: break
            case .ignored: output.append("    ignored")
            case .refused(let refusal): output.append("    refused: \(refusal)")
            }
        }
        output += election.takeActions().map { "    \(ElectionText.of($0))" }
        if election.phase.name != before.name { output.append("    → \(election.phase.name)") }
    }

    /// Regular messages of a phase that goes on are counted.
    private mutating func run(until end: Instant) {
        var (heartbeats, advertisements) = (0, 0)
        while let due = election.deadline, due <= end {
            now = max(now, due)
            let before = election.phase.name
            election.advance(to: now)
            let actions = election.takeActions()
            let isRegular = actions.allSatisfy {
                switch $0 {
                case .send, .advertise: true
                default: false
                }
            }
            if election.phase.name == before, isRegular {
                for case .send in actions { heartbeats += 1 }
                for case .advertise in actions { advertisements += 1 }
                continue
            }
            output.append("    \(ElectionText.of(now - Self.origin)):")
            output += actions.map { "    \(ElectionText.of($0))" }
            if election.phase.name != before { output.append("    → \(election.phase.name)") }
        }
        now = end
        if heartbeats + advertisements > 0 {
            output.append("    (\(heartbeats) heartbeats, \(advertisements) advertisements)")
        }
    }

    // MARK: Words

    private static func settings(_ words: [String]) -> ElectionSettings {
        func number(_ name: String) -> UInt8? { value(name, in: words).flatMap { UInt8($0) } }
        let last = number("address") ?? 2
        let interval = value("heartbeat", in: words).flatMap { duration($0) } ?? .milliseconds(20)
        return ElectionSettings(
            priority: number("priority") ?? 200, preempts: words.contains("preempts"),
            advertisementInterval: .milliseconds(100),
            heartbeat: words.contains("alone") ? nil : HeartbeatSettings(interval: interval, misses: 3),
            routerAddresses: (0..<(number("routers") ?? 1)).map { IPv4Address(192, 0, $0, last) },
            ownAddress: IPv4Address(10, 0, 0, last), peerAddress: IPv4Address(10, 0, 0, 5 - last),
            decrements: number("decrement").map { [$0] },
            startupSilentPeriod: value("silent", in: words).flatMap { duration($0) } ?? .zero)
    }

    mutating func input(_ line: String) -> Election.Input? {
        input(line.split(separator: " ").map(String.init))
    }

    private mutating func input(_ words: [String]) -> Election.Input? {
        func number(_ name: String) -> Int? { Self.value(name, in: words).flatMap { Int($0) } }
        let isUp = words.last == "up"
        switch words[0] {
        case "start": return .start
        case "shut-down": return .shutDown
        case "hello": return .hello
        case "foreign-peer": return .foreignPeer
        case "sessions-complete": return .sessionsComplete
        case "resync-begins": return .resync(isUnderWay: true)
        case "resync-complete": return .resync(isUnderWay: false)
        case "switchover": return .switchoverRequest
        case "carrier": return .routerCarrier(router: number("carrier") ?? 0, port: "inside", isUp: isUp)
        case "tracked": return .trackedLink(number("tracked") ?? 0, isUp: isUp)
        case "tracked-changed": return .trackedLinkChanged(port: "uplink", isUp: isUp)
        case "cross-connect": return .crossConnectCarrier(isUp: isUp)
        case "due": return Election.Timer.allCases.first { "\($0)" == words.last }.map { .due($0) }
        case "advertisement":
            let priority = UInt8(number("priority") ?? 100)
            return .advertisement(
                Advertisement(
                    priority: priority, interval: .milliseconds(100),
                    source: IPv4Address(192, 0, 0, UInt8(number("from") ?? 3))), router: number("router") ?? 0)
        case "statement": return statement(words)
        default: return nil
        }
    }

    private mutating func statement(_ words: [String]) -> Election.Input? {
        guard let role = VirtualRouter.State(rawValue: words[1]) else { return nil }
        func number(_ name: String) -> UInt64? { Self.value(name, in: words).flatMap { UInt64($0) } }
        sequence = number("sequence") ?? sequence + 1
        var flags: PairStatement.Flags = []
        for (name, flag) in ElectionText.flags where words.contains(name) { flags.insert(flag) }
        return .statement(
            PairStatement(
                epoch: number("epoch") ?? 7, sequence: sequence, role: role,
                priority: UInt8(number("priority") ?? 100), flags: flags,
                roleAge: Self.value("role-age", in: words).flatMap { Self.duration($0) } ?? .zero),
            startsOver: words.contains("starts-over"))
    }

    private static func value(_ name: String, in words: [String]) -> String? {
        words.firstIndex(of: name).flatMap { words.indices.contains($0 + 1) ? words[$0 + 1] : nil }
    }

    /// `20ms`, `0.5ms`, `60s`
    private static func duration(_ text: String) -> Duration? {
        let (digits, unit) =
            text.hasSuffix("ms") ? (text.dropLast(2), 1e6) : text.hasSuffix("s") ? (text.dropLast(), 1e9) : ("", 0)
        return Double(digits).map { .nanoseconds(Int64(($0 * unit).rounded())) }
    }
}
