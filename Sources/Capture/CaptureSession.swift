internal import CLinux
public import Evidence
internal import Glibc
internal import LabTime
internal import SystemPackage

/// The captures of all interfaces of a lab, each into a nanosecond pcap file of its own. Interfaces of one network
/// namespace share a packet ring.
///
/// The caller's event loop drives it, on one thread: it watches `fileDescriptors`, calls `readable(_:)` with the
/// position of each descriptor that is readable, and `flush()` every `CaptureSettings.flushInterval`, so that
/// captures of quiet interfaces reach their files too.
public final class CaptureSession {
    public let points: [CapturePoint]
    private let captures: [InterfaceCapture]
    private let namespaces: [NamespaceCapture]
    private let store: CaptureStore
    /// All rings, for callers without an event loop: quiet rings cost nothing.
    private let epoll: Int32
    /// How long a frame may wait in its ring.
    private let blockTimeout: Duration
    private var summaries: [CaptureSummary]?

    /// Opens all captures at the same time; every interface must be up.
    ///
    /// - Throws: the first error in the order of `points`; then none is open, and the files that were created are
    ///   empty captures.
    /// - Complexity: some 15 ms for one namespace, and little more for two hundred
    public init(_ points: [CapturePoint], settings: CaptureSettings = CaptureSettings()) throws(CaptureError) {
        self.points = points
        store = CaptureStore(settings.limit)
        let groups = Self.grouped(points)
        let blockTimeout = settings.blockTimeout(rings: groups.count)
        self.blockTimeout = blockTimeout
        let opened = try Self.openRings(groups, of: points, settings, blockTimeout)
        var captures: [InterfaceCapture?] = Array(repeating: nil, count: points.count)
        var namespaces: [NamespaceCapture] = []
        let epoll = cl_epoll_create()
        do throws(CaptureError) {
            guard epoll >= 0 else { throw CaptureError(.cannotOpenInterface, errno: Errno(rawValue: errno)) }
            for (group, (ring, interfaces)) in zip(groups, opened) {
                var ofRing: [InterfaceCapture] = []
                for (number, interface) in zip(group, interfaces) {
                    let capture = try Self.capture(
                        points[number], interface, number: number, snapLength: settings.snapLength, store)
                    captures[number] = capture
                    ofRing.append(capture)
                }
                let position = UInt64(namespaces.count)
                guard cl_epoll_control(epoll, EPOLL_CTL_ADD, ring.descriptor, 1 /* EPOLLIN */, position) == 0 else {
                    throw CaptureError(.cannotOpenInterface, errno: Errno(rawValue: errno))
                }
                namespaces.append(NamespaceCapture(ring, ofRing, blockTimeout: blockTimeout))
            }
        } catch {
            if epoll >= 0 { Glibc.close(epoll) }
            NamespaceRing.close(opened.map(\.0))
            throw error
        }
        self.captures = captures.map { $0! }
        store.captures = self.captures
        self.namespaces = namespaces
        self.epoll = epoll
    }

    deinit { if summaries == nil { close() } }

    /// Positions of the points of each namespace; an interface that is captured twice has two rings.
    private static func grouped(_ points: [CapturePoint]) -> [[Int]] {
        struct Place: Hashable {
            var namespace: Int32
            var interface: String
        }
        struct Ring: Hashable {
            var namespace: Int32
            var number: Int
        }
        var groups: [[Int]] = []
        var positions: [Ring: Int] = [:]
        var seen: [Place: Int] = [:]
        for (number, point) in points.enumerated() {
            let times = seen[Place(namespace: point.namespace, interface: point.interface), default: 0]
            seen[Place(namespace: point.namespace, interface: point.interface)] = times + 1
            let ring = Ring(namespace: point.namespace, number: times)
            if let position = positions[ring] {
                groups[position].append(number)
            } else {
                positions[ring] = groups.count
                groups.append([number])
            }
        }
        return groups
    }

    private typealias OpenedRing = (NamespaceRing, [NamespaceRing.Interface])

    private static func openRings(
        _ groups: [[Int]], of points: [CapturePoint], _ settings: CaptureSettings, _ blockTimeout: Duration
    ) throws(CaptureError) -> [OpenedRing] {
        let sizes = RingLayout.sizes(interfaces: groups.map(\.count), settings)
        let results: [Result<OpenedRing, CaptureError>]
        do throws(Errno) {
            results = try ParallelThreads.map(groups.count) { position in
                let group = groups[position]
                return NamespaceRing.open(
                    group.map { points[$0].interface }, in: points[group[0]].namespace, size: sizes[position],
                    blockTimeout: blockTimeout, snapLength: settings.snapLength
                ) { "\(points[group[$0]].node).\(points[group[$0]].interface)" }
            }
        } catch {
            throw CaptureError(.cannotOpenInterface, errno: error, detail: "no thread can be started")
        }
        let opened = results.compactMap { try? $0.get() }
        for case .failure(let error) in results {
            NamespaceRing.close(opened.map(\.0))
            throw error
        }
        return opened
    }

    private static func capture(
        _ point: CapturePoint, _ interface: NamespaceRing.Interface, number: Int, snapLength: Int, _ store: CaptureStore
    ) throws(CaptureError) -> InterfaceCapture {
        let writer: CaptureFileWriter
        do { writer = try CaptureFileWriter.create(path: point.path, snapLength: snapLength) } catch {
            throw CaptureError(
                .cannotCreateFile, capture: "\(point.node).\(point.interface)", path: point.path, errno: error)
        }
        return InterfaceCapture(
            point: point, interface: interface, writer: writer, number: number, snapLength: snapLength, store: store)
    }

    /// A descriptor for each namespace. Unwatch them before `finish`, which closes them.
    public var fileDescriptors: [Int32] { namespaces.map(\.ring.descriptor) }

    /// Takes frames from a ring that is readable. Call it again when the descriptor is still readable.
    ///
    /// An interface that goes down ends nothing: its capture goes on when it comes up again.
    /// - Parameter position: in `fileDescriptors`
    /// - Returns: the number of frames taken, sentinels included
    /// - Throws: once for each capture, where its file cannot be written or its interface is gone. The other captures
    ///   go on; the file stays readable; frames that could not be written count as dropped.
    @discardableResult
    public func readable(_ position: Int) throws(CaptureError) -> Int {
        let count = namespaces[position].read()
        for capture in namespaces[position].captures {
            if let failure = capture.unreportedFailure() { throw failure }
        }
        return count
    }

    /// Writes what is buffered into the files.
    /// - Throws: the first error, after all were tried; as `readable(_:)`, once for each capture
    public func flush() throws(CaptureError) {
        for namespace in namespaces { namespace.countLosses() }
        for capture in captures { capture.flush() }
        var first: CaptureError?
        for capture in captures {
            if let failure = capture.unreportedFailure() { first = first ?? failure }
        }
        if let first { throw first }
    }

    /// Why a capture ended early or lost frames; nil where it did not.
    /// - Parameter position: in `points`
    public func failure(of position: Int) -> CaptureError? { captures[position].failure }

    /// Errors of all captures that have one.
    public var failures: [CaptureError] { captures.compactMap(\.failure) }

    /// What all files hold, and what the limit left out.
    public var volume: CaptureVolume { store.volume }

    /// Takes what the kernel has captured until now, writes it, and ends captures and files. Later calls return the
    /// same. The kernel takes the rings back within some 30 ms; for few of them this does not wait.
    ///
    /// `dropped` counts frames that did not fit into the ring, and frames that could not be written.
    /// - Returns: in the order of `points`; a capture in several files has one for each, the present one
    ///   last
    /// - Complexity: one block timeout at most
    public func finish() -> [CaptureSummary] {
        if let summaries { return summaries }
        for namespace in namespaces { namespace.awaitDeliveredFrames() }
        // A block that is not full is handed over after the block timeout; the bound is for a kernel that never does.
        _ = readUntilNonePending(before: .now + .seconds(1) + .milliseconds(namespaces.count))
        var ofCaptures: [ObjectIdentifier: [CaptureSummary]] = [:]
        for namespace in namespaces {
            for (capture, summaries) in zip(namespace.captures, namespace.summarize()) {
                ofCaptures[ObjectIdentifier(capture)] = summaries
            }
        }
        let summaries = captures.flatMap { ofCaptures[ObjectIdentifier($0)] ?? [] }
        self.summaries = summaries
        close()
        return summaries
    }

    // MARK: Barrier

    /// Sends a sentinel frame through every interface. `pendingSentinels` becomes empty when each capture has seen
    /// its own, and so every frame that came before it. Sentinels reach no file.
    ///
    /// An interface that is down cannot send: its capture is pending until as many frames were taken from its ring as
    /// the kernel counted into it.
    /// - Parameter nonce: differs from those of earlier barriers. Where a barrier takes longer than some 40 ms, send
    ///   again with the same: a full ring drops a sentinel, and so does a link whose carrier the kernel has yet to
    ///   notice.
    public func sendSentinels(nonce: UInt64) throws(CaptureError) {
        for namespace in namespaces { try namespace.sendSentinels(nonce: nonce, again: false) }
    }

    /// Positions of the points whose captures have not yet seen their sentinel.
    public var pendingSentinels: [Int] {
        let pending = Set(
            namespaces.filter(\.isPending).flatMap { namespace in
                namespace.captures.filter { $0.isPending(taken: namespace.ring.taken) }.map { ObjectIdentifier($0) }
            })
        return captures.indices.filter { pending.contains(ObjectIdentifier(captures[$0])) }
    }

    /// Sends sentinels and reads all captures until each has seen its own: for callers without an event loop, or
    /// with nothing else to do meanwhile. Once it returns, all that was captured before the call is in the files.
    /// - Throws: `.barrierTimedOut`; the errors of single captures are in `failures`
    /// - Complexity: linear in the number of captures
    public func barrier(nonce: UInt64, timeout: Duration = .seconds(5)) throws(CaptureError) {
        let deadline = ContinuousClock.now + timeout
        // After it a sentinel counts as lost: what was sent before it has been handed over by then.
        let again = max(blockTimeout * 2, .milliseconds(namespaces.count))
        var isFirst = true
        repeat {
            // A sentinel that is lost is replaced: a full ring drops it, and so does a link whose carrier the kernel
            // has yet to notice, a moment after both ends were set up.
            for namespace in namespaces where isFirst || namespace.isPending {
                try namespace.sendSentinels(nonce: nonce, again: !isFirst)
            }
            isFirst = false
            if readUntilNonePending(before: min(deadline, .now + again)) {
                for capture in captures { capture.flush() }
                return
            }
        } while ContinuousClock.now < deadline
        let names = pendingSentinels.map { captures[$0].name }
        let more = names.count > 20 ? " and \(names.count - 20) more" : ""
        throw CaptureError(.barrierTimedOut, capture: names.prefix(20).joined(separator: ", ") + more)
    }

    /// - Returns: false where the time is over first
    private func readUntilNonePending(before deadline: ContinuousClock.Instant) -> Bool {
        var pending = Set(namespaces.indices.filter { namespaces[$0].isPending })
        return withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: 64) { events in
            while !pending.isEmpty {
                let now = ContinuousClock.now
                guard now < deadline else { return false }
                let wait = min(deadline - now, .milliseconds(20))
                let count = cl_epoll_wait(epoll, events.baseAddress, Int32(events.count), wait.nanoseconds)
                for event in 0..<Int(max(0, count)) {
                    let position = Int(cl_epoll_token(events.baseAddress! + event))
                    _ = namespaces[position].read()
                    if !namespaces[position].isPending { pending.remove(position) }
                }
                // Some wait for nothing but time.
                if count <= 0 { pending = pending.filter { namespaces[$0].isPending } }
            }
            return true
        }
    }

    private func close() {
        Glibc.close(epoll)
        NamespaceRing.close(namespaces.map(\.ring))
    }
}
