internal import CLinux
internal import Glibc
internal import LabTime
internal import SystemPackage

/// The packet ring of one network namespace: a packet socket that sees all interfaces of it, and a socket that sends
/// beside it; owned by whoever holds it.
///
/// Two sockets, because the kernel does not show a packet socket what it sent itself. A ring of a single interface is
/// bound to that one: older kernels offer each frame of the machine to every socket that is bound to none.
final class NamespaceRing: @unchecked Sendable {
    /// Readable when a block is handed over.
    let descriptor: Int32
    let sender: Int32
    let layout: RingLayout
    private let memory: UnsafeMutableRawPointer
    private var next = 0
    /// Frames taken out of the ring.
    private(set) var taken = 0
    // What the kernel counted; it forgets its counts when asked.
    private var counted = 0
    private var dropped = 0

    /// An interface of the ring, as it was when the ring was opened.
    struct Interface: Sendable {
        var name: String
        var index: Int32
    }

    /// Opens a ring. Moves the calling thread into the namespace and leaves it there; the sockets stay bound to it.
    ///
    /// Some 13 ms, nearly all of it waiting (synchronize_net when the ring is set up).
    /// - Parameters:
    ///   - names: of the interfaces, which must be up
    ///   - name: what an error names
    static func open(
        _ names: [String], in namespace: Int32, size: Int, blockTimeout: Duration, snapLength: Int,
        name: (Int) -> String
    ) -> Result<(NamespaceRing, [Interface]), CaptureError> {
        func failure(_ number: Int, _ detail: String?, _ code: Int32? = nil) -> CaptureError {
            CaptureError(
                .cannotOpenInterface, capture: name(number), errno: code.map { Errno(rawValue: $0) }, detail: detail)
        }
        let entered = cl_setns(namespace, cl_new_net)
        guard entered == 0 else { return .failure(failure(0, "cannot enter its network namespace", entered)) }
        let descriptor = cl_packet_sender()
        guard descriptor >= 0 else { return .failure(failure(0, "cannot open a packet socket", -descriptor)) }
        var interfaces: [Interface] = []
        var longest = 0
        for (number, name) in names.enumerated() {
            let index = cl_interface_index(descriptor, name)
            var facts = cl_interface_facts()
            guard index > 0, cl_interface_look(descriptor, name, &facts) == 0 else {
                Glibc.close(descriptor)
                return .failure(failure(number, "there is no such interface in its namespace"))
            }
            guard facts.is_up != 0 else {
                Glibc.close(descriptor)
                return .failure(failure(number, "it is not up"))
            }
            guard facts.is_ethernet != 0 else {
                Glibc.close(descriptor)
                return .failure(failure(number, "it carries something other than Ethernet"))
            }
            interfaces.append(Interface(name: name, index: index))
            longest = max(longest, Int(facts.mtu) + 14)
        }
        let sender = cl_packet_sender()
        guard sender >= 0 else {
            Glibc.close(descriptor)
            return .failure(failure(0, "cannot open a socket for sentinel frames", -sender))
        }
        let ring = make(
            descriptor, sender, interfaces.map(\.index), size: size, longestFrame: longest, blockTimeout: blockTimeout,
            snapLength: snapLength)
        switch ring {
        case .success(let ring): return .success((ring, interfaces))
        case .failure(let problem):
            Glibc.close(descriptor)
            Glibc.close(sender)
            return .failure(failure(0, problem.what, problem.code))
        }
    }

    private struct Problem: Error {
        var what: String
        var code: Int32
    }

    private static func make(
        _ descriptor: Int32, _ sender: Int32, _ indexes: [Int32], size: Int, longestFrame: Int,
        blockTimeout: Duration, snapLength: Int
    ) -> Result<NamespaceRing, Problem> {
        let ranges = Self.ranges(of: indexes, among: interfaceIndexes())
        let code = cl_capture_select(
            descriptor, ranges.flatMap { [$0.lowerBound, $0.upperBound] }, Int32(ranges.count), UInt32(snapLength))
        guard code == 0 else { return .failure(Problem(what: "cannot select its frames", code: -code)) }
        var layout = RingLayout(size: size, longestFrame: longestFrame)
        let timeout = UInt32(max(1, blockTimeout.milliseconds))
        var result = cl_capture_ring(descriptor, UInt32(layout.blockSize), UInt32(layout.blockCount), timeout)
        // A machine with little memory: a smaller ring drops frames sooner, and reports them.
        while result == -ENOMEM, layout.size > CaptureSettings.smallestRing {
            layout = RingLayout(size: layout.size / 2, longestFrame: longestFrame)
            result = cl_capture_ring(descriptor, UInt32(layout.blockSize), UInt32(layout.blockCount), timeout)
        }
        guard result == 0 else {
            return .failure(Problem(what: "cannot make a ring of \(layout.size >> 10) KiB", code: -result))
        }
        let memory = mmap(nil, layout.size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
        guard let memory, memory != MAP_FAILED else {
            return .failure(Problem(what: "cannot map its ring", code: errno))
        }
        let bound = cl_capture_bind(descriptor, indexes.count == 1 ? indexes[0] : 0)
        guard bound == 0 else {
            munmap(memory, layout.size)
            return .failure(Problem(what: "cannot listen", code: -bound))
        }
        return .success(NamespaceRing(descriptor, sender, layout, memory))
    }

    private init(_ descriptor: Int32, _ sender: Int32, _ layout: RingLayout, _ memory: UnsafeMutableRawPointer) {
        self.descriptor = descriptor
        self.sender = sender
        self.layout = layout
        self.memory = memory
    }

    // MARK: Which interfaces

    /// Indexes of all interfaces in the calling thread's namespace; empty where they cannot be listed.
    private static func interfaceIndexes() -> [Int32] {
        guard let list = if_nameindex() else { return [] }
        defer { if_freenameindex(list) }
        var indexes: [Int32] = []
        var entry = list
        while entry.pointee.if_index != 0 {
            indexes.append(Int32(entry.pointee.if_index))
            entry += 1
        }
        return indexes
    }

    /// The fewest ranges that hold some interfaces and no other, so that the kernel's filter is short; one for all
    /// numbers where they would still be too many. Frames that come with the rest belong to no capture, and are ignored.
    /// - Complexity: O(n log n)
    static func ranges(of indexes: [Int32], among all: [Int32]) -> [ClosedRange<Int32>] {
        let own = Set(indexes)
        var ranges: [ClosedRange<Int32>] = []
        var isOpen = false
        for index in Set(all).union(own).sorted() {
            if !own.contains(index) {
                isOpen = false
            } else if isOpen, let last = ranges.last {
                ranges[ranges.count - 1] = last.lowerBound...index
            } else {
                ranges.append(index...index)
                isOpen = true
            }
        }
        return ranges.count <= Int(cl_capture_most_ranges) ? ranges : [0...Int32.max]
    }

    // MARK: Frames

    /// Takes frames out of blocks that were handed over.
    /// - Parameter bytes: blocks of so much memory at most, so that one busy ring does not starve the others
    /// - Returns: the number of frames
    @inline(__always)
    func read(atMost bytes: Int, _ body: (RingFrame) -> Void) -> Int {
        var frames = 0
        var blocks = max(1, bytes / layout.blockSize)
        while blocks > 0 {
            let block = memory + next * layout.blockSize
            guard cl_block_is_ready(block) != 0 else { break }
            frames += RingBlock(base: block).forEach(body)
            cl_block_give_back(block)
            next = next + 1 == layout.blockCount ? 0 : next + 1
            blocks -= 1
        }
        taken += frames
        return frames
    }

    /// The kernel's counts since the ring was opened: frames that were put into it, and frames that did not fit; nil
    /// where the kernel does not report them. A call of getsockopt(2).
    func statistics() -> (delivered: Int, dropped: Int)? {
        var (frames, lost): (UInt32, UInt32) = (0, 0)
        guard cl_capture_statistics(descriptor, &frames, &lost) == 0 else { return nil }
        counted += Int(frames)
        dropped += Int(lost)
        return (counted - dropped, dropped)
    }

    // MARK: End

    /// Threads of that many at once; beyond them closing them takes rounds.
    private static let mostAtOnce = 256
    /// So few are closed without waiting for it.
    private static let few = 32

    /// Closes rings. The kernel takes some 15 ms for each socket, and twice that for one with a ring (synchronize_net), so
    /// each is closed in a thread of its own. Few are not waited for. Many are: were the process killed meanwhile, the
    /// kernel would close the rest one after the other.
    static func close(_ rings: [NamespaceRing]) {
        let close: @Sendable (Int) -> Void = { position in
            let ring = rings[position / 2]
            if position % 2 == 0 {
                munmap(ring.memory, ring.layout.size)
                Glibc.close(ring.descriptor)
            } else {
                Glibc.close(ring.sender)
            }
        }
        if rings.count <= few {
            ParallelThreads.start(rings.count * 2, close)
        } else if (try? ParallelThreads.map(rings.count * 2, atOnce: mostAtOnce, close)) == nil {
            for position in 0..<rings.count * 2 { close(position) }
        }
    }
}
