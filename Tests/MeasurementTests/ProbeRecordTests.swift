import LabTime
import Testing

@testable import Measurement

@Suite struct `Probe records` {
    let record = ProbeRecord(
        program: 7, flow: 3, sequence: 0x0102_0304_0506_0708, sentAt: Instant(nanoseconds: -2), length: 36)

    @Test func `a record is written as its layout defines`() {
        var bytes: [UInt8] = []
        record.append(to: &bytes)
        #expect(
            bytes == [
                0x46, 0x4C, 0x50, 0x31,  // magic
                0, 0, 0, 36,  // length
                0, 0, 0, 7,  // program
                0, 0, 0, 3,  // flow
                1, 2, 3, 4, 5, 6, 7, 8,  // sequence
                0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE,  // sent at
                0x28, 0x29, 0x2A, 0x2B,  // filler: 8 + offset
            ])
    }

    @Test(arguments: [32, 33, 64, 1472, 65_507])
    func `a datagram gives back the record that it was made of`(length: Int) {
        var record = record
        record.length = length
        var bytes: [UInt8] = []
        record.append(to: &bytes)
        #expect(bytes.withUnsafeBytes { ProbeRecord(datagram: $0) } == record)
    }

    @Test func `a datagram that was cut anywhere is no record`() {
        var bytes: [UInt8] = []
        record.append(to: &bytes)
        for length in 0..<bytes.count {
            #expect(bytes[..<length].withUnsafeBytes { ProbeRecord(datagram: $0) } == nil)
        }
        bytes.append(0)
        #expect(bytes.withUnsafeBytes { ProbeRecord(datagram: $0) } == nil)
    }

    @Test(arguments: [0, 3, 4, 7, 32, 35])
    func `a datagram with a wrong byte in magic, length or filler is no record`(offset: Int) {
        var bytes: [UInt8] = []
        record.append(to: &bytes)
        bytes[offset] ^= 0x40
        #expect(bytes.withUnsafeBytes { ProbeRecord(datagram: $0) } == nil)
    }

    @Test func `lengths outside what a record may have are brought to the nearest bound`() {
        let short = ProbeRecord(program: 0, flow: 0, sequence: 0, sentAt: Instant(nanoseconds: 0), length: 1)
        let long = ProbeRecord(program: 0, flow: 0, sequence: 0, sentAt: Instant(nanoseconds: 0), length: 1 << 20)
        #expect(short.length == 32)
        #expect(long.length == 65_507)
    }
}
