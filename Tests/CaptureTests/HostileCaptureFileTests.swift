@testable import Capture
import Evidence
import Glibc
import Testing

/// Files that somebody put in a capture's place.
@Suite("Capture files that no run wrote")
struct HostileCaptureFileTests {
    let folder = TemporaryFolder()

    private func bytes(_ words: UInt32...) -> [UInt8] {
        words.flatMap { word in withUnsafeBytes(of: word) { Array($0) } }
    }

    @Test(.timeLimit(.minutes(1)))
    func `a FIFO, a device and a folder are refused at once`() {
        #expect(mkfifo(folder.file("fifo.pcap"), 0o600) == 0)
        for path in [folder.file("fifo.pcap"), "/dev/zero", "/dev/null", folder.path] {
            #expect(throws: CaptureError.self, "\(path)") { _ = try CaptureFile(path: path) }
        }
    }

    /// Section header, an interface whose times count in units of 2^-`resolution` s or with an offset in seconds, one
    /// packet. Source: the pcapng specification
    private func pcapng(option: UInt16, value: [UInt8], timeHigh: UInt32, timeLow: UInt32) -> [UInt8] {
        func half(_ number: UInt16) -> [UInt8] { withUnsafeBytes(of: number) { Array($0) } }
        let padded = value + [UInt8](repeating: 0, count: (4 - value.count % 4) % 4)
        let options = half(option) + half(UInt16(value.count)) + padded + bytes(0)
        let length = UInt32(20 + options.count)
        return bytes(0x0a0d_0d0a, 28, 0x1a2b_3c4d, 1, 0xffff_ffff, 0xffff_ffff, 28)
            + bytes(1, length) + half(1) + half(0) + bytes(65_535) + options + bytes(length)
            + bytes(6, 36, 0, timeHigh, timeLow, 4, 4, 0x1234_5678, 36)
    }

    @Test func `a time beyond the years that nanoseconds reach is reported, not computed`() throws {
        let offset = withUnsafeBytes(of: Int64.max) { Array($0) }
        for (name, content) in [
            ("offset", pcapng(option: 14, value: offset, timeHigh: 1, timeLow: 0)),
            ("resolution", pcapng(option: 9, value: [0], timeHigh: 0x7fff_ffff, timeLow: 0xffff_ffff)),
        ] {
            let path = folder.write(content, to: "\(name).pcapng")
            #expect(throws: CaptureError.self, "\(name)") {
                var file = try CaptureFile(path: path)
                while try file.next() != nil {}
            }
        }
        // libpcap makes of this what fits; nothing traps.
        let binary = pcapng(option: 9, value: [0x80], timeHigh: 0xffff_ffff, timeLow: 0xffff_ffff)
        var file = try CaptureFile(path: folder.write(binary, to: "binary.pcapng"))
        while try file.next() != nil {}
    }

    @Test func `more frames than were captured are damage, too`() throws {
        let record = bytes(1_700_000_000, 0, 4, 4) + [1, 2, 3, 4]
        let header = bytes(0xa1b2_3c4d, 0x0004_0002, 0, 0, 65_535, 1)
        folder.write(header + record + record, to: "a.pcap")
        let source = CaptureFolder(path: folder.path)
        func read(_ frames: Int) throws {
            let summary = CaptureSummary(node: "a", interface: "b", path: "a.pcap", frames: frames, dropped: 0)
            try source.frames(of: summary, matching: nil) { _ in true }
        }
        try read(2)
        #expect(throws: CaptureError.self) { try read(1) }
        #expect(throws: CaptureError.self) { try read(3) }
    }
}
