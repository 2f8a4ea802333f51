internal import CPcap
public import EventLoop
internal import Glibc
internal import LabTime
public import SystemPackage

/// Frames of some interfaces as they pass, as one stream of pcapng for a program that shows them.
///
/// Sentinel frames of the lab's own captures are left out.
public final class CaptureStream {
    /// Why a stream has ended.
    public enum End: Hashable, Sendable {
        /// It was stopped, has written as many frames as were wanted, or its reader has gone.
        case done
        /// An interface was taken away.
        case interfaceGone(CaptureError)
        case unwritable(Errno)
    }

    private let points: [CapturePoint]
    private let settings: CaptureSettings
    private let loop: EventLoop
    private let rings: [PacketRing]
    private var merge = FrameMerge()
    private var writer: PcapngWriter
    private var remaining: Int?
    private var end: End?
    /// Frames that were written.
    public private(set) var frames = 0

    /// Opens all interfaces at the same time. They must be up, and the process may enter their namespaces.
    /// - Parameters:
    ///   - filter: libpcap's language; the kernel applies it
    ///   - count: after so many frames it ends
    ///   - descriptor: where frames are written; stays the caller's
    public init(
        _ points: [CapturePoint], filter: String? = nil, count: Int? = nil, to descriptor: Int32, on loop: EventLoop,
        settings: CaptureSettings = CaptureSettings()
    ) throws(CaptureError) {
        let opened: [Result<PacketRing, CaptureError>]
        do throws(Errno) {
            opened = try ParallelThreads.map(points.count) { Self.open(points[$0], filter: filter, settings) }
        } catch {
            throw CaptureError(.cannotOpenInterface, errno: error, detail: "no thread can be started")
        }
        rings = opened.compactMap { try? $0.get() }
        for case .failure(let error) in opened {
            PacketRing.close(rings)
            throw error
        }
        self.points = points
        self.settings = settings
        self.loop = loop
        remaining = count
        writer = PcapngWriter(
            to: descriptor, interfaces: points.map { "\($0.node).\($0.interface)" }, snapLength: settings.snapLength)
    }

    private static func open(
        _ point: CapturePoint, filter: String?, _ settings: CaptureSettings
    ) -> Result<PacketRing, CaptureError> {
        let opened = PacketRing.open(point, settings)
        guard let filter, case .success(let ring) = opened, let refusal = ring.select(filter) else { return opened }
        PacketRing.close([ring])
        return .failure(
            CaptureError(
                .cannotOpenInterface, capture: "\(point.node).\(point.interface)",
                detail: "filter '\(filter)': \(refusal)"))
    }

    deinit { PacketRing.close(rings) }

    /// Writes what comes until something ends it.
    public func run() throws(Errno) -> End {
        for (position, ring) in rings.enumerated() {
            try loop.watch(ring.descriptor) { [unowned self] _ in read(position) }
        }
        // A program that waits for the stream learns at once that there is one.
        flush()
        writeAgain()
        if end == nil { loop.run() }
        for ring in rings { loop.unwatch(ring.descriptor) }
        write(merge.takeThose(before: nil))
        flush()
        return end ?? .done
    }

    /// From a handler of the same loop.
    public func stop() { finish(.done) }

    /// Frames that did not fit into the kernel's buffer; nil where it does not report them.
    public var dropped: Int? {
        rings.reduce(0) { sum, ring in sum.flatMap { sum in ring.statistics().map { sum + $0.dropped } } }
    }

    private func finish(_ end: End) {
        self.end = self.end ?? end
        loop.stop()
    }

    private func read(_ position: Int) {
        let reader = Reader(stream: self, position: position)
        let count = withExtendedLifetime(reader) {
            pcap_dispatch(
                rings[position].handle, 4096,
                { user, header, bytes in
                    Unmanaged<Reader>.fromOpaque(user!)._withUnsafeGuaranteedRef { $0.take(header!, bytes!) }
                }, Unmanaged.passUnretained(reader).toOpaque())
        }
        guard count < 0 else { return }
        let point = points[position]
        finish(
            .interfaceGone(
                CaptureError(
                    .cannotContinue, capture: "\(point.node).\(point.interface)",
                    detail: String(cString: pcap_geterr(rings[position].handle)))))
    }

    /// What a callback of libpcap needs.
    private final class Reader {
        let stream: CaptureStream
        let position: Int

        init(stream: CaptureStream, position: Int) {
            self.stream = stream
            self.position = position
        }

        func take(_ header: UnsafePointer<pcap_pkthdr>, _ start: UnsafePointer<UInt8>) {
            let bytes = UnsafeRawBufferPointer(start: start, count: Int(header.pointee.caplen))
            guard SentinelFrame(bytes) == nil else { return }
            // With nanosecond precision, tv_usec holds nanoseconds.
            let stamp = header.pointee.ts
            stream.merge.add(
                LiveFrame(
                    interface: position,
                    time: Timestamp(nanoseconds: Int64(stamp.tv_sec) * 1_000_000_000 + Int64(stamp.tv_usec)),
                    originalLength: Int(header.pointee.len), bytes: Array(bytes)))
        }
    }

    private func writeAgain() {
        loop.schedule(after: settings.blockTimeout) { [weak self] in
            guard let self, end == nil else { return }
            // A block is handed over after its timeout; the rest is for a reader that is late. One ring is in order.
            write(merge.takeThose(before: rings.count == 1 ? nil : .now() - settings.blockTimeout * 3))
            flush()
            writeAgain()
        }
    }

    private func write(_ frames: [LiveFrame]) {
        for frame in frames where remaining != 0 {
            writer.append(frame)
            self.frames += 1
            remaining = remaining.map { $0 - 1 }
        }
        if remaining == 0 { finish(.done) }
    }

    private func flush() {
        switch writer.flush() {
        case 0: break
        case EPIPE: finish(.done)
        case let error: finish(.unwritable(Errno(rawValue: error)))
        }
    }
}
