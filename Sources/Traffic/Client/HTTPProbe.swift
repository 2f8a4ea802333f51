internal import EventLoop
internal import LabTime
internal import Measurement
internal import Wire

/// One probe of `http-request`: a connection with one GET and its answer, whose end patience waits for. It survives
/// with a status below 400.
final class HTTPProbe: ConnectionProbe {
    private var reader = HTTPAnswerReader()

    override func ask(_ sequence: UInt64, at now: Instant) {
        request = Array(
            "GET \(context.program.path) HTTP/1.1\r\nHost: \(context.target.address.bracketed)\r\nUser-Agent: failoverlab\r\nConnection: close\r\n\r\n"
                .utf8)
    }

    override func take(_ bytes: UnsafeRawBufferPointer) {
        reader.consume(bytes)
        if reader.isGarbage { return end(FlowEnding(outcome: .reset, reason: "the answer is no HTTP")) }
        if reader.isComplete { answered() }
    }

    /// An answer without a length ends with its connection.
    override func closedByPeer() { reader.status == nil ? super.closedByPeer() : answered() }

    override func complete(_ result: inout FlowResult) { result.status = reader.status }

    private func answered() {
        guard let status = reader.status else { return }
        meter.answered(0, at: context.loop.now)
        events.onFirstAnswer()
        guard status >= 400 else { return end(.survived) }
        let why = reader.reason.map { ": \($0)" } ?? ""
        end(FlowEnding(outcome: .refused, reason: "status \(status)\(why)"))
    }
}
