@testable import Integrity
import Testing

@Suite("Digests of evidence")
struct EvidenceDigestTests {
    @Test func `a digest does not depend on how the bytes are cut into chunks`() {
        let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let whole = EvidenceDigest(of: bytes)
        for size in [1, 3, 7, 8, 9, 64, 999] {
            var digest = EvidenceDigest()
            var rest = bytes[...]
            while !rest.isEmpty {
                Array(rest.prefix(size)).withUnsafeBytes { digest.update($0) }
                rest = rest.dropFirst(size)
            }
            #expect(digest.text == whole.text, "chunks of \(size)")
            #expect(digest.count == 1000)
        }
    }

    @Test func `every changed byte, and every missing one, changes the digest`() {
        let bytes = (0..<100).map { UInt8($0) }
        var seen: Set<String> = [EvidenceDigest(of: bytes).text]
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= 0x10
            #expect(seen.insert(EvidenceDigest(of: changed).text).inserted)
            #expect(seen.insert(EvidenceDigest(of: Array(bytes[..<index])).text).inserted)
        }
        #expect(seen.insert(EvidenceDigest(of: bytes + [0]).text).inserted)
    }
}
