import Testing
import TestSupport
import Wire

@Suite struct Checksums {
    /// The definition, word by word.
    static func reference(_ bytes: [UInt8]) -> UInt16 {
        var sum = 0
        for index in stride(from: 0, to: bytes.count, by: 2) {
            sum += Int(bytes[index]) << 8 | (index + 1 < bytes.count ? Int(bytes[index + 1]) : 0)
            if sum > 0xffff { sum -= 0xffff }
        }
        return ~UInt16(sum)
    }

    @Test func `the example of RFC 1071 holds`() {
        #expect(withGuarded(hex("00 01 f2 03 f4 f5 f6 f7")) { Checksum.of($0) } == ~0xddf2)
    }

    @Test func `the example of RFC 1624 holds where RFC 1141 fails`() {
        #expect(Checksum.update(0xdd2f, replacing: UInt16(0x5555), with: UInt16(0x3285)) == 0x0000)
    }

    @Test func `any length at any alignment agrees with the definition`() {
        let seed: UInt64 = 1071
        var random = SeededGenerator(seed: seed)
        for length in 0..<300 {
            let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
            #expect(withGuarded(bytes) { Checksum.of($0) } == Self.reference(bytes), "length \(length), seed \(seed)")
        }
    }

    @Test func `a sum in pieces of even length is the sum of the whole`() {
        let bytes = (0..<101).map { UInt8(truncatingIfNeeded: $0 * 37) }
        for cut in stride(from: 0, through: 100, by: 2) {
            var sum = Checksum()
            withGuarded(bytes[..<cut]) { sum.add($0) }
            withGuarded(bytes[cut...]) { sum.add($0) }
            #expect(sum.value == Self.reference(bytes), "cut at \(cut)")
        }
    }

    @Test func `the largest packet full of ones does not overflow`() {
        let bytes = [UInt8](repeating: 0xff, count: 65535)
        #expect(withGuarded(bytes) { Checksum.of($0) } == Self.reference(bytes))
    }

    @Test func `an incremental update equals a new sum`() {
        let seed: UInt64 = 1624
        var random = SeededGenerator(seed: seed)
        for _ in 0..<5000 {
            var bytes = (0..<24).map { _ in UInt8.random(in: 0...255, using: &random) }
            // Extreme words are where the older formulas went wrong.
            if Bool.random(using: &random) { bytes.replaceSubrange(0..<4, with: [0, 0, 0, 0]) }
            if Bool.random(using: &random) { bytes.replaceSubrange(2..<4, with: [0xff, 0xff]) }
            let before = withGuarded(bytes) { Checksum.of($0) }
            let old = withGuarded(bytes) { $0.baseAddress!.readUInt32(at: 0) }
            let new: UInt32 = Bool.random(using: &random) ? 0 : UInt32.random(in: 0 ... .max, using: &random)
            for index in 0..<4 { bytes[index] = UInt8(truncatingIfNeeded: new >> UInt32(24 - 8 * index)) }
            #expect(
                Checksum.update(before, replacing: old, with: new) == withGuarded(bytes) { Checksum.of($0) },
                "\(hex(bytes)), seed \(seed)")
        }
    }

    @Test func `UDP's zero means none, and a sum of zero is sent as ones`() {
        #expect(Checksum.forUDP(0) == 0xffff && Checksum.forUDP(1) == 1)
        var change = ChecksumChange()
        change.replace(UInt16(1), with: UInt16(2))
        #expect(change.appliedToUDP(0) == 0)
        #expect(change.applied(to: 1) == 0 && change.appliedToUDP(1) == 0xffff)
    }
}
