import LabTime
import TestSupport
import Testing

@testable import Measurement

@Suite struct `Probe parser` {
    private func record(_ sequence: UInt64, length: Int) -> ProbeRecord {
        ProbeRecord(
            program: 1, flow: 2, sequence: sequence, sentAt: Instant(nanoseconds: Int64(sequence)), length: length)
    }

    private func parse(_ bytes: [UInt8], with parser: inout ProbeParser) -> [ProbeRecord] {
        var found: [ProbeRecord] = []
        bytes.withUnsafeBytes { parser.consume($0) { found.append($0) } }
        return found
    }

    @Test(arguments: UInt64(1)...40)
    func `records are found wherever the stream is cut`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let records = (0..<50).map { record(UInt64($0), length: .random(in: 32...300, using: &generator)) }
        var stream: [UInt8] = []
        for record in records { record.append(to: &stream) }

        var parser = ProbeParser()
        var found: [ProbeRecord] = []
        var rest = stream[...]
        while !rest.isEmpty {
            let piece = rest.prefix(.random(in: 1...90, using: &generator))
            rest = rest.dropFirst(piece.count)
            found += parse(Array(piece), with: &parser)
        }
        #expect(found == records, "seed \(seed)")
        #expect(parser.garbage == 0 && parser.corrupted == 0 && !parser.isWithinRecord, "seed \(seed)")
    }

    @Test(arguments: UInt64(1)...40)
    func `garbage between records is skipped and counted`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var stream: [UInt8] = []
        var records: [ProbeRecord] = []
        var garbage = 0
        for sequence in 0..<30 {
            // Bytes of the magic, so that false beginnings happen, but never the whole magic.
            for _ in 0..<Int.random(in: 0...40, using: &generator) {
                stream.append([0x46, 0x4C, 0x50, 0x00, 0xFF].randomElement(using: &generator)!)
                garbage += 1
            }
            records.append(record(UInt64(sequence), length: .random(in: 32...80, using: &generator)))
            records.last!.append(to: &stream)
        }
        var parser = ProbeParser()
        var found: [ProbeRecord] = []
        var rest = stream[...]
        while !rest.isEmpty {
            let piece = rest.prefix(.random(in: 1...50, using: &generator))
            rest = rest.dropFirst(piece.count)
            found += parse(Array(piece), with: &parser)
        }
        #expect(found == records, "seed \(seed)")
        #expect(parser.garbage == garbage, "seed \(seed)")
    }

    @Test(arguments: UInt64(1)...20)
    func `any bytes at all are survived, and all of them accounted for`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var parser = ProbeParser()
        let bytes = (0..<20_000).map { _ in UInt8.random(in: 0...255, using: &generator) }
        let found = parse(bytes, with: &parser)
        #expect(found.isEmpty, "seed \(seed)")
        #expect((bytes.count - 3...bytes.count).contains(parser.garbage), "seed \(seed)")
    }

    @Test func `a record with a wrong byte in its filler is counted as corrupted, and the next one is found`() {
        var stream: [UInt8] = []
        record(1, length: 64).append(to: &stream)
        stream[40] ^= 1
        record(2, length: 64).append(to: &stream)
        var parser = ProbeParser()
        #expect(parse(stream, with: &parser) == [record(2, length: 64)])
        #expect(parser.corrupted == 1)
        #expect(parser.garbage == 0)
    }

    @Test func `a header that claims an impossible length is garbage, and the record behind it is found`() {
        var stream: [UInt8] = []
        record(1, length: 32).append(to: &stream)
        stream[4] = 0xFF
        record(2, length: 40).append(to: &stream)
        var parser = ProbeParser()
        #expect(parse(stream, with: &parser) == [record(2, length: 40)])
        #expect(parser.garbage == 32)
    }
}
