import Glibc
import TestSupport
import Testing

@testable import HTTPExchange

@Suite struct `Bytes in memory` {
    /// Against an array: whatever arrives, is used up and kept, in whatever order.
    @Test(arguments: UInt64(1)...10) func `pending input is what came and was not used up`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var input = PendingInput()
        var expected: [UInt8] = []
        let shared = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 16)
        defer { shared.deallocate() }
        for _ in 0..<500 {
            let count = Int.random(in: 1...(Bool.random(using: &random) ? 40 : 4096), using: &random)
            for index in 0..<count { shared[index] = .random(in: 0...255, using: &random) }
            input.add(UnsafeRawBufferPointer(rebasing: shared[..<count]))
            expected += shared[..<count]
            while Bool.random(using: &random), !expected.isEmpty {
                let used = Int.random(in: 0...expected.count, using: &random)
                input.consume(used)
                expected.removeFirst(used)
                let isSame = input.bytes.elementsEqual(expected)
                #expect(isSame, "seed \(seed)")
            }
            input.keep()
            // Where it was read, the next bytes are read.
            memset(shared.baseAddress!, 0xEE, shared.count)
            let (isSame, left) = (input.bytes.elementsEqual(expected), input.count)
            #expect(isSame && left == expected.count, "seed \(seed)")
            if expected.count > 20_000 {
                input.clear()
                expected = []
            }
        }
    }

    @Test(arguments: UInt64(1)...10) func `a message buffer is what was put behind it and not taken before`(
        seed: UInt64
    ) {
        var random = SeededGenerator(seed: seed)
        let buffer = MessageBuffer(capacity: 64, keeping: 512)
        var expected: [UInt8] = []
        for _ in 0..<1000 {
            switch Int.random(in: 0..<6, using: &random) {
            case 0:
                let size = Int.random(in: 0...0x1_0000_0000, using: &random)
                buffer.append(chunkSize: size)
                expected += Array((String(size, radix: 16) + "\r\n").utf8)
            case 1:
                let count = Int.random(in: 0...expected.count, using: &random)
                buffer.removeFirst(count)
                expected.removeFirst(count)
            case 2 where Int.random(in: 0..<20, using: &random) == 0:
                buffer.clear()
                expected = []
            default:
                let bytes = (0..<Int.random(in: 0...200, using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                }
                bytes.withUnsafeBytes { buffer.append($0) }
                expected += bytes
            }
            #expect(buffer.count == expected.count && buffer.isEmpty == expected.isEmpty, "seed \(seed)")
            let isSame = buffer.bytes.elementsEqual(expected)
            #expect(isSame, "seed \(seed)")
        }
    }

    @Test(arguments: [0, 1, 9, 10, 15, 16, 255, 4096, 65_535, Int.max]) func `a chunk's size is hexadecimal`(size: Int)
    {
        let buffer = MessageBuffer()
        buffer.append(chunkSize: size)
        #expect(String(decoding: buffer.bytes, as: UTF8.self) == String(size, radix: 16) + "\r\n")
    }
}
