internal import Configuration
internal import CLinux
internal import EventLoop
internal import Glibc
internal import HostSide
internal import LabEvents
internal import LabTime
internal import SystemPackage
internal import Wire

/// What a balancer's HTTP services did: `logs/<node>.access.jsonl`, one line a request, written by the host side;
/// failures of members also as lines of the node's log, and as events `http-502`, `http-503`, `http-504` of the run.
///
/// Events are bounded: in one second at most `mostEvents`, and the first after a pause has the number of those left
/// out. The access log has them all, within its bounds (`FileBounds`).
final class AccessLog: Sendable {
    static let mostEvents = 100

    let file: AccessLogFile
    private let mailbox: Mailbox<AccessRecord>
    private let failures: Mailbox<TLSFailure>

    /// nil where the balancer has no HTTP service.
    init?(_ configuration: LoadBalancerConfiguration, in process: NodeProcess) throws {
        guard configuration.services.contains(where: { $0.profile == .http }) else { return nil }
        file = AccessLogFile(descriptor: NodeProcess.requestsDescriptor)
        let bound = EventBound()
        mailbox = try Mailbox(on: process.loop) { [unowned process] record in
            guard let kind = EventKind(httpStatus: record.status), let leftOut = bound.admit(at: process.loop.now)
            else { return }
            var details = record.eventDetails
            if leftOut > 0 { details[.leftOut] = "\(leftOut)" }
            process.event(kind, at: process.loop.now, details: details)
        }
        let boundOfFailures = EventBound()
        failures = try Mailbox(on: process.loop) { [unowned process] failure in
            guard let leftOut = boundOfFailures.admit(at: process.loop.now) else { return }
            var details: EventDetails = [
                .service: failure.service, .client: failure.client.endpoint(port: failure.clientPort),
                .reason: failure.reason,
            ]
            if leftOut > 0 { details[.leftOut] = "\(leftOut)" }
            process.event(.tlsFailed, at: process.loop.now, details: details)
        }
    }

    /// From any thread.
    func append(_ failure: TLSFailure) {
        complain(failure.errorLine)
        failures.send(failure)
    }

    /// One call a line, so that lines of several threads never mix. pipe(7), PIPE_BUF
    private func complain(_ text: String) {
        var line = text + "\n"
        _ = line.withUTF8 { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }

    /// From any thread.
    func append(_ record: AccessRecord) {
        guard let line = record.errorLine else { return }
        complain(line)
        if EventKind(httpStatus: record.status) != nil { mailbox.send(record) }
    }
}

/// Counts events in seconds of their own. Used on the process's loop alone.
private final class EventBound {
    private var second = Instant(nanoseconds: 0)
    private var count = 0
    private var leftOut = 0

    /// How many events were left out since the last one; nil where this one is left out as well.
    func admit(at now: Instant) -> Int? {
        if now - second >= .seconds(1) { (second, count) = (now, 0) }
        count += 1
        guard count <= AccessLog.mostEvents else {
            leftOut += 1
            return nil
        }
        defer { leftOut = 0 }
        return leftOut
    }
}

extension AccessRecord {
    fileprivate var eventDetails: EventDetails {
        var details: EventDetails = [
            .service: service, .client: "\(client):\(clientPort)", .request: "\(method) \(uri)",
        ]
        details[.reason] = reason
        details[.member] = poolMember
        details[.snatAddress] = snatAddress?.description
        details[.snatPort] = snatPort.map { "\($0)" }
        details[.serverTime] = serverTime.map { "\($0)" }
        return details
    }
}
