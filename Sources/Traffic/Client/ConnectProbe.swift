internal import EventLoop
internal import LabTime
internal import Measurement

/// One probe of `tcp-connect`: a connection with one numbered request and its answer, unless that is switched off.
final class ConnectProbe: ConnectionProbe {
    private var parser = ProbeParser()

    override func ask(_ sequence: UInt64, at now: Instant) {
        guard context.program.exchanges else { return }
        context.record(flow: flow, sequence: sequence, at: now).append(to: &request)
    }

    override func connected(at now: Instant) {
        guard !context.program.exchanges else { return }
        meter.answered(0, at: now)
        succeed()
    }

    override func take(_ bytes: UnsafeRawBufferPointer) {
        let now = context.loop.now
        parser.consume(bytes) { record in
            guard record.program == context.number, record.flow == flow else { return }
            meter.answered(record.sequence, at: now)
        }
        if meter.isSettled { succeed() }
    }

    override func complete(_ result: inout FlowResult) { result.garbage = parser.garbage }

    private func succeed() {
        events.onFirstAnswer()
        end(.survived)
    }
}
