@testable import Capture
import Testing

@Suite("Sentinel frames")
struct SentinelFrameTests {
    @Test func `a sentinel has the bytes of its layout`() {
        let bytes = SentinelFrame(nonce: 0x0102_0304_0506_0708, capture: 0x0a0b).bytes
        #expect(bytes.count == 60)
        #expect(Array(bytes[0..<6]) == [0x01, 0x80, 0xc2, 0, 0, 0x0e])
        #expect(Array(bytes[6..<12]) == [0, 0, 0, 0, 0, 0])
        #expect(Array(bytes[12..<14]) == [0x88, 0xb5])
        #expect(String(decoding: bytes[14..<22], as: UTF8.self) == "flabsent")
        #expect(Array(bytes[22..<30]) == [1, 2, 3, 4, 5, 6, 7, 8])
        #expect(Array(bytes[30..<34]) == [0, 0, 0x0a, 0x0b])
        #expect(bytes[34...].allSatisfy { $0 == 0 })
    }

    @Test func `a sentinel is read back`() {
        let sent = SentinelFrame(nonce: .max, capture: 19)
        #expect(sent.bytes.withUnsafeBytes { SentinelFrame($0) } == sent)
    }

    @Test func `a sentinel that is cut off is none`() {
        let bytes = SentinelFrame(nonce: 7, capture: 1).bytes
        for length in 0..<34 {
            #expect(bytes[0..<length].withUnsafeBytes { SentinelFrame($0) } == nil)
        }
    }

    @Test(arguments: [0, 5, 12, 13, 14, 21])
    func `a frame that differs in one byte is an ordinary frame`(_ offset: Int) {
        var bytes = SentinelFrame(nonce: 7, capture: 1).bytes
        bytes[offset] ^= 0x40
        #expect(bytes.withUnsafeBytes { SentinelFrame($0) } == nil)
    }
}
