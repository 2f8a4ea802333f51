internal import CLinux
internal import EventLoop
internal import Glibc
internal import SystemPackage

/// The clients of a supervisor: the command that started the lab, and those on the lab's socket.
final class ControlChannel {
    private let loop: EventLoop
    /// Hangs up when the warden has ended: the lab is then reclaimed. Handed to whoever asks the lab to stop.
    private let reclaimed: Int32
    private var command: LineChannel?
    private var clients: [Int32: LineChannel] = [:]
    /// The clients that wait for the answer to a request, by its number.
    private var requests: [Int: LineChannel] = [:]
    private var lastRequest = 0
    /// An order, and the client to answer.
    private let onOrder: (SupervisorOrder, LineChannel?) -> Void

    private static var timeoutOfCommand: Duration { .seconds(60) }

    init(
        command: Int32, listener: Int32, reclaimed: Int32, on loop: EventLoop,
        onOrder: @escaping (SupervisorOrder, LineChannel?) -> Void, onCommandGone: @escaping () -> Void
    ) throws(Errno) {
        self.loop = loop
        self.reclaimed = reclaimed
        self.onOrder = onOrder
        self.command = try LineChannel(command, limits: .ownProcesses, on: loop) { [unowned self] line in
            receive(line, from: self.command)
        } onClose: { [unowned self] in
            self.command = nil
            onCommandGone()
        }
        try loop.watch(listener) { [unowned self] _ in accept(from: listener) }
    }

    var hasCommand: Bool { command != nil }

    private func receive(_ line: [UInt8], from channel: LineChannel?) {
        guard let order = try? JSONLine.decode(SupervisorOrder.self, from: line) else {
            channel?.send(
                JSONLine.encode(SupervisorReport.failed(LabFailure(.lab, "this version does not know this request"))))
            return
        }
        onOrder(order, channel)
    }

    private func accept(from listener: Int32) {
        let descriptor = cl_accept(listener)
        guard descriptor >= 0 else { return }
        // Abstract sockets have no file permissions. Inside the lab's user namespace, user 0 is who started the lab.
        guard cl_peer_user(descriptor) == 0 else {
            close(descriptor)
            return
        }
        clients[descriptor] = try? LineChannel(descriptor, on: loop) { [unowned self] line in
            receive(line, from: clients[descriptor])
        } onClose: { [unowned self] in
            clients[descriptor] = nil
        }
    }

    // MARK: Answers

    /// To the command that started the lab.
    func report(_ report: SupervisorReport) {
        command?.send(JSONLine.encode(report))
    }

    /// - Returns: the number under which the request is answered
    func request(of channel: LineChannel?) -> Int {
        lastRequest += 1
        requests[lastRequest] = channel
        return lastRequest
    }

    func answer(_ request: Int, _ failure: LabFailure?) {
        requests.removeValue(forKey: request)?.send(
            JSONLine.encode(failure.map { SupervisorReport.failed($0) } ?? .done))
    }

    /// To a client that asks the lab to stop: when everything is reclaimed, this hangs up.
    func handOverReclaimed(to channel: LineChannel?) {
        guard let channel, channel !== command else { return }
        var descriptor = reclaimed
        _ = cl_send_descriptors(channel.descriptor, &descriptor, 1)
    }

    /// The last report; every client learns that the lab ends.
    func end(reporting report: SupervisorReport) {
        self.report(report)
        for client in clients.values { client.send(JSONLine.encode(SupervisorReport.done)) }
    }

    /// Waits until the command has taken every report. It may be busy, with the evaluation of another variant for
    /// instance.
    func finishSending() { command?.finishSending(within: Self.timeoutOfCommand) }
}
