internal import EventLoop
internal import LabTime

/// Connections of a program on which no request is under way, for its next ones: the one that was used last comes first.
final class KeptConnections {
    /// How long a connection rests before it is used again, so that frames of one request and those of the next one are
    /// apart in captures.
    private static let rest: Duration = .milliseconds(2)

    private struct Kept {
        var transport: SocketTransport
        var since: Instant
    }

    private let loop: EventLoop
    private let parting: PartingSockets
    private let maximumAge: Duration?
    private var kept: [Kept] = []

    init(on loop: EventLoop, maximumAge: Duration?, parting: PartingSockets) {
        self.loop = loop
        self.maximumAge = maximumAge
        self.parting = parting
    }

    /// Takes a connection over that nobody watches any more.
    func put(_ transport: SocketTransport) {
        let descriptor = transport.socket.descriptor
        do {
            // Whatever comes while nothing is asked is the end of the connection, or no answer to anything.
            try loop.watch(descriptor, for: .readable) { [unowned self] _ in
                guard let place = kept.firstIndex(where: { $0.transport.socket.descriptor == descriptor }) else {
                    return
                }
                release(place)
            }
            kept.append(Kept(transport: transport, since: loop.now))
        } catch {
            parting.part(with: transport.socket)
        }
    }

    /// A connection that nobody watches any more; nil where none is left.
    func take(at now: Instant) -> SocketTransport? {
        if let maximumAge {
            while let old = kept.firstIndex(where: { now - $0.transport.openedAt >= maximumAge }) { release(old) }
        }
        guard let place = kept.lastIndex(where: { now - $0.since >= Self.rest }) else { return nil }
        let transport = kept.remove(at: place).transport
        loop.unwatch(transport.socket.descriptor)
        return transport
    }

    /// Ends all of them.
    func close() { while !kept.isEmpty { release(kept.count - 1) } }

    private func release(_ place: Int) {
        let socket = kept.remove(at: place).transport.socket
        loop.unwatch(socket.descriptor)
        parting.part(with: socket)
    }
}
