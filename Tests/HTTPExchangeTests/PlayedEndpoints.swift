import Configuration
import LabEvents
import LabTime
import Wire

@testable import HTTPExchange

/// The two ends of an exchange, which a test sets up, and what the exchange does to them, as text.
final class PlayedEndpoints: ExchangeEndpoints {
    enum Member {
        case pending
        /// Accepts at once, with so many bytes of the head.
        case accepts(sent: Int)
        case reused
        case fails(HTTPErrorReason)
    }

    /// Members of the pool that are up.
    var members = 1
    /// What becomes of the next connections; the last of them stays.
    var connects: [Member] = [.pending]
    var clientIsBlocked = false
    var memberIsBlocked = false
    /// The kernel does not take all of the next bytes for the client.
    var clientIsFull = false
    /// What the kernel does not report.
    var clientTakesSome = false
    var memberTakesSome = false
    private var port: UInt16 = 1000
    private(set) var output: [String] = []
    /// Requests that began and are not in the access log.
    private(set) var open = 0
    /// Entries of the access log.
    private(set) var entries = 0
    private(set) var closes = 0
    /// There is a connection to a member, pending or not.
    private(set) var hasMember = false
    /// Calls that came though there was nothing to call for.
    private(set) var mistakes: [String] = []
    var now = Instant(nanoseconds: 0)

    func takeOutput() -> [String] {
        defer { output = [] }
        return output
    }

    /// The member's connection has ended by itself.
    func memberHasGone() { hasMember = false }

    private func check(_ isRight: Bool, _ call: String) {
        if !isRight || closes > 0 { mistakes.append(call) }
    }

    private func text(_ parts: UnsafeRawBufferPointer...) -> String {
        ExchangeText.escaped(parts.flatMap { Array($0) })
    }

    // MARK: The client

    func sendToClient(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer, _ c: UnsafeRawBufferPointer) {
        check(true, "send to client")
        if clientIsFull { clientIsBlocked = true }
        output.append("to client \(text(a, b, c))")
    }

    func clientHasTakenSome() -> Bool { clientTakesSome }

    func endClientSession() {
        check(true, "end session")
        output.append("end session")
    }

    func finishClient() {
        check(!clientIsBlocked, "finish client")
        output.append("finish client")
    }

    func closeClient(withReset: Bool) {
        check(!hasMember, "close client")
        closes += 1
        output.append(withReset ? "reset client" : "close client")
    }

    // MARK: The member

    func chooseMember() -> Int? { members > 0 ? 0 : nil }

    func nextMember(after member: Int, first: Int) -> Int? {
        let next = (member + 1) % max(1, members)
        return next == first ? nil : next
    }

    func connect(to member: Int, reuses: Bool, head: UnsafeRawBufferPointer) -> ConnectOutcome {
        check(!hasMember, "connect")
        output.append("connect \(member)\(reuses ? "" : ", a new connection")")
        let outcome = connects.count > 1 ? connects.removeFirst() : connects[0]
        port += 1
        let source = SourceEndpoint(address: .ipv4(.loopback), port: port)
        hasMember = true
        switch outcome {
        case .pending: return .pending(source)
        case .accepts(let sent):
            if sent > 0 { output.append("with the handshake \(text(.init(rebasing: head[..<min(sent, head.count)])))") }
            return .connected(source, isReused: false, sent: min(sent, head.count))
        case .reused: return .connected(source, isReused: true, sent: 0)
        case .fails(let reason):
            hasMember = false
            return .failed(ExchangeFailure(reason, "so it is", source: source))
        }
    }

    func sendHeadToMember(_ head: UnsafeRawBufferPointer) {
        check(hasMember, "send head")
        output.append("to member \(text(head))")
    }

    func sendBodyToMember(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer, _ c: UnsafeRawBufferPointer) {
        check(hasMember, "send body")
        output.append("to member \(text(a, b, c))")
    }

    func memberHasTakenSome() -> Bool { hasMember && memberIsBlocked && memberTakesSome }

    func releaseMember(isClean: Bool, staysOpen: Bool) {
        // It has gone by itself where its end is the answer's.
        if hasMember {
            output.append("release member\(isClean ? "" : ", not clean")\(staysOpen ? ", open" : "")")
        }
        hasMember = false
    }

    func abandonMember() {
        if hasMember { output.append("reset member") }
        hasMember = false
    }

    // MARK: Reports

    func requestBegan() {
        check(open == 0, "request began")
        open += 1
    }

    func requestEnded(_ request: RequestInProgress, _ outcome: RequestOutcome) {
        check(true, "log")
        entries += 1
        // One whose head is refused has not begun.
        open = 0
        var text = "log \(request.status) \(ExchangeText.shown(request.texts.method)) "
        text += "\(ExchangeText.shown(request.texts.uri)), \(request.responseSize) bytes"
        if let member = request.member { text += ", member \(member)" }
        if let source = request.source { text += " from \(source.port)" }
        text += ", \(ExchangeText.milliseconds(now - request.began))"
        if let served = request.served { text += " (\(ExchangeText.milliseconds(now - served)))" }
        if case .failed(let reason, let detail, let counter) = outcome {
            text += ": \(reason)"
            if let detail { text += " (\(detail))" }
            if counter != reason { text += ", counted as \(counter)" }
        }
        output.append(text)
    }
}
