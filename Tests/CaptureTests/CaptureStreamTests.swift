import EventLoop
import Glibc
import LabTime
import Netlink
import Testing

@testable import Capture

@Suite struct `A live capture` {
    let folder = TemporaryFolder()

    private func frame(_ interface: Int, _ milliseconds: Int64, _ bytes: [UInt8] = [1, 2, 3]) -> LiveFrame {
        LiveFrame(
            interface: interface, time: Timestamp(nanoseconds: 1_700_000_000_000_000_000) + .milliseconds(milliseconds),
            originalLength: bytes.count + 5, bytes: bytes)
    }

    @Test func `brings frames of several rings into the order of time, and waits for late ones`() {
        var merge = FrameMerge()
        for (interface, time) in [(0, 10), (0, 30), (1, 20), (1, 30), (0, 50)] {
            merge.add(frame(interface, Int64(time)))
        }
        let ready = merge.takeThose(before: frame(0, 40).time)
        #expect(ready.map(\.interface) == [0, 1, 0, 1])
        #expect(ready.map(\.time) == ready.map(\.time).sorted())
        merge.add(frame(1, 45))
        #expect(merge.takeThose(before: nil).map(\.interface) == [1, 0])
        #expect(merge.takeThose(before: nil).isEmpty)
    }

    @Test func `is pcapng byte for byte`() throws {
        let file = folder.file("x.pcapng")
        let descriptor = open(file, O_RDWR | O_CREAT | O_TRUNC, 0o600)
        defer { close(descriptor) }
        var writer = PcapngWriter(to: descriptor, interfaces: ["lb.a"], snapLength: 65535)
        writer.append(
            LiveFrame(interface: 0, time: Timestamp(nanoseconds: 0x1_0000_0002), originalLength: 60, bytes: [9, 8, 7]))
        #expect(writer.flush() == 0)
        var bytes = [UInt8](repeating: 0, count: 1000)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        var expected: [UInt8] = []
        for part: [UInt8] in [
            [0x0a, 0x0d, 0x0d, 0x0a, 48, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0],  // section, length, magic, 1.0
            // length unknown, application
            [255, 255, 255, 255, 255, 255, 255, 255, 4, 0, 11, 0], Array("failoverlab".utf8), [0],
            [0, 0, 0, 0, 48, 0, 0, 0],  // end of options, length
            [1, 0, 0, 0, 40, 0, 0, 0, 1, 0, 0, 0, 255, 255, 0, 0],  // interface, Ethernet, snap length
            [2, 0, 4, 0], Array("lb.a".utf8), [9, 0, 1, 0, 9, 0, 0, 0],  // name, nanoseconds
            [0, 0, 0, 0, 40, 0, 0, 0],
            [6, 0, 0, 0, 36, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0],  // frame, interface 0, time
            [3, 0, 0, 0, 60, 0, 0, 0, 9, 8, 7, 0, 36, 0, 0, 0],  // captured, original, bytes and padding
        ] { expected += part }
        #expect(Array(bytes[..<count]) == expected)
    }

    @Test(.enabled(if: Host.canCreateNamespaces, Comment(rawValue: Host.needsNamespaces)))
    func `has what the filter selects, in the order of time, without sentinels, and ends after its count`() throws {
        let file = folder.file("x.pcapng")
        let (end, frames, read, refusal) = try NamespaceThread.run {
            () -> (CaptureStream.End, Int, [(UInt32, Int)], CaptureError?) in
            let lab = try CaptureLab()
            let points = [("left", lab.left.descriptor), ("right", lab.right.descriptor)].map {
                CapturePoint(node: $0, interface: "inside", namespace: $1, path: "")
            }
            let descriptor = open(file, O_RDWR | O_CREAT | O_TRUNC, 0o600)
            defer { close(descriptor) }
            let loop = try EventLoop()
            var refusal: CaptureError?
            do {
                _ = try CaptureStream(points, filter: "tcp and and", to: descriptor, on: loop)
            } catch {
                refusal = error as? CaptureError
            }
            let stream = try CaptureStream(points, filter: "udp", count: 40, to: descriptor, on: loop)
            // The lab's own captures send theirs meanwhile.
            let own = try CaptureSession([
                CapturePoint(node: "x", interface: "inside", namespace: lab.left.descriptor, path: "/dev/null")
            ])
            try own.sendSentinels(nonce: 7)
            try lab.sendDatagrams(20)
            let end = try stream.run()
            var reader = try CaptureFile(path: file)
            var read: [(UInt32, Int)] = []
            while let record = try reader.next() { read.append((0, record.bytes.count)) }
            return (end, stream.frames, read, refusal)
        }
        #expect(end == .done)
        #expect(frames == 40)
        // 14 Ethernet, 20 IPv4, 8 UDP and 8 bytes; each twice, once at either end.
        #expect(read.map(\.1) == Array(repeating: 50, count: 40))
        #expect(refusal?.detail?.contains("tcp and and") == true)
    }
}
