@testable import Capture
import Evidence
import Glibc
import LabTime
import Testing

@Suite("Capture files")
struct CaptureFileTests {
    let folder = TemporaryFolder()

    /// A UDP datagram from 192.0.2.1 to 192.0.2.2, ports 1000 and `port`.
    static func datagram(to port: UInt8) -> [UInt8] {
        [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0]
            + [0x45, 0, 0, 32, 0, 0, 0, 0, 64, 17, 0xf6, 0xc9, 192, 0, 2, 1, 192, 0, 2, 2]
            + [0x03, 0xe8, 0, port, 0, 12, 0, 0, 1, 2, 3, 4]
    }

    private func write(_ count: Int, to name: String = "a.pcap") throws -> String {
        var writer = try CaptureFileWriter.create(path: folder.file(name), snapLength: 65_535)
        for number in 0..<count {
            let frame = Self.datagram(to: UInt8(number))
            try frame.withUnsafeBytes { bytes throws(any Error) in
                let frame = RingFrame(
                    interface: 1, seconds: 1_700_000_000, nanoseconds: UInt32(number), bytes: bytes, originalLength: 46)
                try writer.append(frame, snapLength: 65_535)
            }
        }
        try writer.flush()
        return folder.file(name)
    }

    private func numbers(_ path: String, _ filter: String? = nil) throws -> [Int] {
        var file = try CaptureFile(path: path)
        let filter = try filter.map { try CaptureFilter($0) }
        var numbers: [Int] = []
        while let record = try file.next(matching: filter) { numbers.append(record.number) }
        return numbers
    }

    @Test func `a file has the header and the records of nanosecond pcap`() throws {
        _ = try write(1)
        let bytes = folder.read("a.pcap")
        let header: [UInt32] = [0xa1b2_3c4d, 0x0004_0002, 0, 0, 65_535, 1]
        let record: [UInt32] = [1_700_000_000, 0, 46, 46]
        let words = bytes.withUnsafeBytes { raw in
            stride(from: 0, to: 40, by: 4).map { raw.loadUnaligned(fromByteOffset: $0, as: UInt32.self) }
        }
        // The version is two numbers of 16 bits: 2 and 4.
        #expect(words == header + record)
        #expect(Array(bytes[40...]) == Self.datagram(to: 0))
    }

    @Test func `a tag that the kernel took out of a frame is where it was on the wire`() throws {
        var writer = try CaptureFileWriter.create(path: folder.file("tag.pcap"), snapLength: 64)
        let datagram = Self.datagram(to: 7)
        for padding in [0, 100] {
            try (datagram + [UInt8](repeating: 0x55, count: padding)).withUnsafeBytes { bytes throws(any Error) in
                let frame = RingFrame(
                    interface: 1, seconds: 1, nanoseconds: 0, bytes: bytes, originalLength: UInt32(bytes.count),
                    tag: RingFrame.Tag(tagProtocol: 0x88a8, control: 0x6005))
                #expect(CaptureFileWriter.recordLength(frame, snapLength: 64) == 16 + (padding == 0 ? 50 : 64))
                try writer.append(frame, snapLength: 64)
            }
        }
        try writer.flush()
        let tagged = Array(datagram[..<12] + [0x88, 0xa8, 0x60, 0x05] + datagram[12...])
        var file = try CaptureFile(path: folder.file("tag.pcap"))
        let first = try #require(try file.next().map { (Array($0.bytes), $0.originalLength) })
        #expect(first == (tagged, 50))
        // Cut as the frame on the wire would be.
        let second = try #require(try file.next().map { (Array($0.bytes), $0.originalLength) })
        #expect(second == (tagged + [UInt8](repeating: 0x55, count: 14), 150))
    }

    @Test func `a buffer that was let go of comes back with the next frame, also a long one`() throws {
        var writer = try CaptureFileWriter.create(path: folder.file("long.pcap"), snapLength: 262_144)
        var lengths: [Int] = []
        for length in [60, 5000, 60, 200_000, 60] {
            try [UInt8](repeating: 1, count: length).withUnsafeBytes { bytes throws(any Error) in
                let frame = RingFrame(
                    interface: 1, seconds: 1, nanoseconds: 0, bytes: bytes, originalLength: UInt32(length))
                try writer.append(frame, snapLength: 262_144)
            }
            if length == 60 {
                try writer.flush()
                writer.letGoOfBuffer()
            }
        }
        try writer.flush()
        let written = writer.length
        #expect(written == folder.read("long.pcap").count)
        var file = try CaptureFile(path: folder.file("long.pcap"))
        while let record = try file.next() { lengths.append(record.bytes.count) }
        #expect(lengths == [60, 5000, 60, 200_000, 60])
    }

    @Test func `frames come back with number, nanoseconds and bytes`() throws {
        var file = try CaptureFile(path: try write(3))
        var seen: [(Int, Int64, [UInt8])] = []
        while let record = try file.next() {
            seen.append((record.number, record.time.nanoseconds, Array(record.bytes)))
        }
        #expect(seen.map(\.0) == [1, 2, 3])
        #expect(seen.map(\.1) == [0, 1, 2].map { 1_700_000_000_000_000_000 + $0 })
        #expect(seen[2].2 == Self.datagram(to: 2))
        let (count, isTruncated) = (file.count, file.isTruncated)
        #expect(count == 3)
        #expect(!isTruncated)
    }

    @Test func `frames that a filter passes over are counted`() throws {
        let path = try write(6)
        #expect(try numbers(path, "udp dst port 4") == [5])
        #expect(try numbers(path, "udp dst port 1 or udp dst port 3") == [2, 4])
        #expect(try numbers(path, "tcp") == [])
    }

    @Test func `a file in microseconds is read too`() throws {
        let path = try write(2)
        var bytes = TemporaryFolder.read(path)
        bytes.replaceSubrange(0..<4, with: withUnsafeBytes(of: UInt32(0xa1b2_c3d4)) { Array($0) })
        var file = try CaptureFile(path: folder.write(bytes, to: "micro.pcap"))
        _ = try file.next()
        #expect(try file.next()?.time == Timestamp(nanoseconds: 1_700_000_000_000_001_000))
    }

    @Test func `a file that ends within its last record ends before it, wherever it is cut`() throws {
        let whole = TemporaryFolder.read(try write(3))
        let lastRecord = whole.count - 62
        for length in lastRecord..<whole.count {
            var file = try CaptureFile(path: folder.write(Array(whole[0..<length]), to: "cut.pcap"))
            while try file.next() != nil {}
            let (count, isTruncated) = (file.count, file.isTruncated)
            #expect(count == 2)
            #expect(isTruncated == (length > lastRecord))
        }
    }

    @Test func `what is no capture is refused in words`() throws {
        for (name, bytes) in [
            ("empty", []), ("text", Array("schema: 1\nname: a lab\nand more text\n".utf8)),
            ("short", [0x4d, 0x3c, 0xb2, 0xa1]),
        ] {
            let path = folder.write(bytes, to: name)
            let error = #expect(throws: CaptureError.self) { _ = try CaptureFile(path: path).count }
            #expect(error?.kind == .cannotReadFile)
            #expect(error?.path == path)
            #expect(error?.detail?.isEmpty == false)
        }
        #expect(throws: CaptureError.self) { _ = try CaptureFile(path: folder.file("missing")).count }
    }

    @Test func `a capture of another link type is refused`() throws {
        var bytes = TemporaryFolder.read(try write(1))
        bytes[20] = 101
        let path = folder.write(bytes, to: "raw.pcap")
        let error = #expect(throws: CaptureError.self) { _ = try CaptureFile(path: path).count }
        #expect(error?.description.contains("RAW") == true)
    }

    @Test func `a record that no frame can have is an error, not the end`() throws {
        var bytes = TemporaryFolder.read(try write(2))
        let second = bytes.count - 62
        bytes.replaceSubrange(second + 8..<second + 12, with: [0xff, 0xff, 0xff, 0x7f])
        var file = try CaptureFile(path: folder.write(bytes, to: "corrupt.pcap"))
        _ = try file.next()
        let error = #expect(throws: CaptureError.self) { try file.next()?.number }
        #expect(error?.detail?.hasPrefix("after 1 frames") == true)
        #expect(try file.next() == nil)
    }

    @Test func `a folder gives evidence its frames`() throws {
        _ = try write(4, to: "lb.inside.pcap")
        let source = CaptureFolder(path: folder.path)
        let summary = CaptureSummary(node: "lb", interface: "inside", path: "lb.inside.pcap", frames: 4, dropped: 0)
        var seen: [CapturedFrame] = []
        try source.frames(of: summary, matching: "udp dst port 2 or udp dst port 3") {
            seen.append($0); return true
        }
        #expect(seen.map(\.number) == [3, 4])
        #expect(seen.first?.capture == "lb.inside.pcap")
        #expect(seen.first?.bytes == Self.datagram(to: 2))
        var visits = 0
        try source.frames(of: summary, matching: nil) { _ in
            visits += 1; return visits < 2
        }
        #expect(visits == 2)
    }

    @Test func `a folder's file that is cut off or too short is an error`() throws {
        let source = CaptureFolder(path: folder.path)
        let path = try write(2)
        var summary = CaptureSummary(node: "lb", interface: "inside", path: "a.pcap", frames: 3, dropped: 0)
        let short = #expect(throws: CaptureError.self) { try source.frames(of: summary, matching: nil) { _ in true } }
        #expect(short?.description.contains("holds 2 frames, but 3 were captured") == true)
        folder.write(TemporaryFolder.read(path).dropLast(), to: "a.pcap")
        summary.frames = 1
        let cut = #expect(throws: CaptureError.self) { try source.frames(of: summary, matching: nil) { _ in true } }
        #expect(cut?.description.contains("ends within frame 2") == true)
    }
}

@Suite("Capture filters")
struct CaptureFilterTests {
    @Test func `a filter selects frames`() throws {
        let filter = try CaptureFilter("udp and src host 192.0.2.1 and dst port 9")
        #expect(filter.matches(CaptureFileTests.datagram(to: 9)))
        #expect(!filter.matches(CaptureFileTests.datagram(to: 8)))
        #expect(!filter.matches([]))
    }

    @Test(arguments: ["tcp and", "src host", "port http-or-so", "ether proto 0x88b5 (", "udp\0tcp", "ip[0] = = 2"])
    func `what is no filter is refused in libpcap's words`(_ text: String) {
        let error = CaptureFilter.problem(in: text)
        #expect(error?.problem.isEmpty == false)
        #expect(error?.description.contains(text) == true)
    }

    @Test(arguments: ["", "tcp and src host 198.51.100.100", "ether dst 00:00:5e:00:01:01", "icmp[icmptype] = 3"])
    func `filters that engineers write are accepted`(_ text: String) {
        #expect(CaptureFilter.problem(in: text) == nil)
    }

    /// Of the calling thread: what other processes take does not count.
    private static var processorSeconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// Seconds of a processor. Usual is 0.4 at most, 1.6 was seen beside other work. The optimiser, which is off, took 17 s
    /// for twice as much text.
    private static let longest = 5.0

    private static let terms = [
        "tcp port 1", "port 1", "portrange 1-2", "ip", "host 192.0.2.1", "net 10", "ip6 host ::1", "l1", "not port 7",
        "vlan", "tcp[13] & 2 != 0", "(port 1 and ip)",
    ]

    @Test(arguments: terms) func `the longest filter is compiled in a moment, and a longer one refused`(_ term: String)
        throws
    {
        var text = term
        while text.utf8.count + term.utf8.count + 4 <= CaptureFilter.maximumLength { text += " or " + term }
        var (least, problem) = (Double.infinity, CaptureFilterError?.none)
        // The least of three: beside other threads that need memory the kernel takes longer for this one's.
        for _ in 0..<3 where least >= Self.longest {
            let start = Self.processorSeconds
            problem = CaptureFilter.problem(in: text)
            least = min(least, Self.processorSeconds - start)
        }
        #expect(least < Self.longest, "\(term)")
        #expect(problem == nil, "\(String(describing: problem))")
        let longer = try #require(CaptureFilter.problem(in: text + String(repeating: " or " + term, count: 3)))
        #expect("\(longer)".contains("characters, and 2048 are allowed") && "\(longer)".utf8.count < 400, "\(longer)")
    }

    @Test func `a filter that is not optimised selects the same frames`() throws {
        let ports = (1...90).map { "port \($0)" }.joined(separator: " or ")
        let long = try CaptureFilter(ports)
        func datagram(to port: UInt8) -> [UInt8] {
            [UInt8](repeating: 2, count: 12) + [8, 0, 0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0] + [
                192, 0, 2, 1, 192, 0, 2, 2,
            ]
                + [0x99, 0x99, 0, port, 0, 8, 0, 0]
        }
        #expect(long.matches(datagram(to: 1)) && long.matches(datagram(to: 90)) && !long.matches(datagram(to: 91)))
        #expect(CaptureFilter.problem(in: ports + " or port") != nil)
    }
}
