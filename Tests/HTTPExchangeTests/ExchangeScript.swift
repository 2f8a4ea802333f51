import Configuration
import LabEvents
import LabTime

@testable import HTTPExchange

/// Plays a text of inputs with their times, and writes what an exchange does below each.
///
/// ```
/// service
/// 0ms client GET / HTTP/1.1\r\nHost: lab\r\n\r\n
///     connect 0
///     until 1500ms
///     → connecting
/// ```
/// A line that begins with a time is an input. `service` begins anew, with a pool of one member that answers no SYN yet
/// and the options behind it. `connects`, `client-is` and `member-is` set up what the endpoints do. Indented lines are
/// the output: calls of the endpoints, `until` where the deadline changes, and `→` where the phase does. Lines that begin
/// with `#` and empty lines stay.
final class ExchangeScript {
    struct Mistake: Error {
        var line: String
    }

    private(set) var exchange: Exchange
    private(set) var endpoints = PlayedEndpoints()
    private let memory = ExchangeMemory()
    private(set) var now = Instant(nanoseconds: 0)

    init() { exchange = Exchange(ExchangeService(.init(), memory: memory), client: "192.0.2.1", at: now) }

    /// - Returns: the text with the outputs as they are
    static func play(_ text: String) throws -> String {
        let script = ExchangeScript()
        var output: [String] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) where !line.hasPrefix("    ") {
            output.append(String(line))
            if !line.isEmpty, !line.hasPrefix("#") { output += try script.play(String(line)).map { "    " + $0 } }
        }
        return output.joined(separator: "\n")
    }

    /// Plays one line.
    /// - Returns: its output
    @discardableResult
    func play(_ line: String) throws -> [String] {
        let words = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
        let rest = words.dropFirst().joined(separator: " ").split(separator: " ").map(String.init)
        switch words[0] {
        case "service": try begin(rest)
        case "connects": endpoints.connects = try rest.map { try Self.member($0, line) }
        case "client-is":
            endpoints.clientIsFull = rest.contains("full")
            endpoints.clientIsBlocked = rest.contains("blocked")
            endpoints.clientTakesSome = rest.contains("slow")
        case "member-is":
            endpoints.memberIsBlocked = rest.contains("blocked")
            endpoints.memberTakesSome = rest.contains("slow")
        default:
            guard let time = Self.time(words[0]), words.count > 1 else { throw Mistake(line: line) }
            now = Instant(nanoseconds: time)
            return try input(words[1], words.count > 2 ? words[2] : "", line)
        }
        return []
    }

    private func input(_ name: String, _ text: String, _ line: String) throws -> [String] {
        let bytes = ExchangeText.bytes(text)
        return try bytes.withUnsafeBytes { bytes in
            let reason = HTTPErrorReason(rawValue: text) ?? .memberReset
            switch name {
            case "client": return step(.clientBytes(bytes))
            case "client-end": return step(.clientEnd)
            case "client-lost": return step(.clientLost)
            case "session-failed": return step(.clientSessionFailed(hasEnded: text == "ended"))
            case "drained":
                (endpoints.clientIsBlocked, endpoints.clientIsFull) = (false, false)
                return step(.clientDrained)
            case "client-took-some": return step(.clientTookSome)
            case "connected": return step(.memberConnected)
            case "connect-failed":
                endpoints.memberHasGone()
                return step(.memberConnectFailed(ExchangeFailure(reason)))
            case "member": return step(.memberBytes(bytes))
            case "member-end":
                endpoints.memberHasGone()
                return step(.memberEnd)
            case "member-lost":
                endpoints.memberHasGone()
                return step(.memberLost(ExchangeFailure(reason)))
            case "member-took-some": return step(.memberTookSome)
            case "time": return step(.time)
            case "next": return step(.next)
            case "stop": return step(.stop)
            default: throw Mistake(line: line)
            }
        }
    }

    func step(_ input: Exchange.Input) -> [String] {
        var (input, output) = (input, [String]())
        let (before, deadline) = (exchange.phaseName, exchange.deadline)
        endpoints.now = now
        while exchange.step(input, at: now, over: endpoints) == .goesOn {
            endpoints.takeOutput().forEach { output.append($0) }
            output.append("…")
            input = .next
        }
        output += endpoints.takeOutput()
        memory.checkNothingIsLeft()
        if exchange.deadline != deadline {
            output.append(
                exchange.deadline.map { "until \(ExchangeText.milliseconds($0 - Instant(nanoseconds: 0)))" }
                    ?? "no time")
        }
        if exchange.phaseName != before { output.append("→ \(exchange.phaseName)") }
        return output
    }

    // MARK: Words

    private func begin(_ words: [String]) throws {
        var http = HTTPServiceConfiguration(
            limits: HTTPLimits(headerSize: 256, headerCount: 8, bodySize: 20_000),
            timeouts: HTTPTimeouts(
                clientHeader: .seconds(10), clientBody: .seconds(20), keepAlive: .seconds(30),
                serverConnect: .seconds(2), serverResponse: .seconds(60)))
        if words.contains("multiplexing") { http.multiplexing = ConnectionMultiplexing() }
        endpoints = PlayedEndpoints()
        if let place = words.firstIndex(of: "members") { endpoints.members = Int(words[place + 1]) ?? 1 }
        now = Instant(nanoseconds: 0)
        exchange = Exchange(ExchangeService(http, memory: memory), client: "192.0.2.1", at: now)
    }

    private static func member(_ word: String, _ line: String) throws -> PlayedEndpoints.Member {
        switch word {
        case "pending": return .pending
        case "accepts": return .accepts(sent: 0)
        case "accepts-head": return .accepts(sent: .max)
        case "reused": return .reused
        default:
            guard let reason = HTTPErrorReason(rawValue: word) else { throw Mistake(line: line) }
            return .fails(reason)
        }
    }

    /// `20ms`, in nanoseconds.
    private static func time(_ text: String) -> Int64? {
        text.hasSuffix("ms") ? Int64(text.dropLast(2)).map { $0 * 1_000_000 } : nil
    }
}
