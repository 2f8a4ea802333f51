import Testing

@testable import Capture

@Suite struct `A packet ring` {
    /// A block as the kernel hands it over: struct tpacket_block_desc, then frames.
    private struct Recorded {
        var bytes = [UInt8](repeating: 0, count: 1024)

        mutating func put(_ value: some FixedWidthInteger, at offset: Int) {
            bytes.withUnsafeMutableBytes { $0.storeBytes(of: value, toByteOffset: offset, as: type(of: value)) }
        }

        mutating func header(frames: UInt32, first: UInt32 = 48) {
            put(UInt32(1), at: 8)  // block_status: TP_STATUS_USER
            put(frames, at: 12)
            put(first, at: 16)
        }

        /// struct tpacket3_hdr (48 bytes), struct sockaddr_ll (20), and the frame 82 bytes behind the beginning.
        mutating func frame(
            at offset: Int, next: UInt32, interface: Int32, length: UInt32, original: UInt32, first byte: UInt8,
            tag: (status: UInt32, control: UInt32, tagProtocol: UInt16) = (0, 0, 0)
        ) {
            for (number, value) in [next, 1_700_000_000, 999_999_999, length, original, 1 | tag.status].enumerated() {
                put(value, at: offset + 4 * number)
            }
            put(UInt16(82), at: offset + 24)
            put(tag.control, at: offset + 32)
            put(tag.tagProtocol, at: offset + 36)
            put(interface, at: offset + 52)
            for number in 0..<Int(length) { bytes[offset + 82 + number] = byte &+ UInt8(number) }
        }
    }

    private struct Seen: Equatable {
        var interface: Int32
        var bytes: [UInt8]
        var original: UInt32
        var tag: RingFrame.Tag?
    }

    private static func seen(_ block: Recorded) -> [Seen] {
        var seen: [Seen] = []
        block.bytes.withUnsafeBytes { raw in
            let count = RingBlock(base: raw.baseAddress!).forEach { frame in
                #expect(frame.seconds == 1_700_000_000 && frame.nanoseconds == 999_999_999)
                seen.append(
                    Seen(
                        interface: frame.interface, bytes: Array(frame.bytes), original: frame.lengthOnWire,
                        tag: frame.tag))
            }
            #expect(count == seen.count)
        }
        return seen
    }

    @Test func `block has its frames in order, each with interface, time, lengths and bytes`() {
        var block = Recorded()
        block.header(frames: 3)
        block.frame(at: 48, next: 160, interface: 7, length: 60, original: 1514, first: 0)
        block.frame(at: 208, next: 112, interface: 2, length: 14, original: 14, first: 100)
        block.frame(at: 320, next: 0, interface: 7, length: 20, original: 20, first: 200)
        #expect(
            Self.seen(block) == [
                Seen(interface: 7, bytes: Array(0..<60), original: 1514),
                Seen(interface: 2, bytes: Array(100..<114), original: 14),
                Seen(interface: 7, bytes: Array(200..<220), original: 20),
            ])
    }

    @Test func `block that was handed over empty has none`() {
        var block = Recorded()
        block.header(frames: 0)
        #expect(Self.seen(block).isEmpty)
    }

    @Test(
        arguments: [
            // TP_STATUS_VLAN_VALID 0x10, TP_STATUS_VLAN_TPID_VALID 0x40
            (0x50, 5, 0x88a8, RingFrame.Tag(tagProtocol: 0x88a8, control: 5)),
            (0x10, 0, 0, RingFrame.Tag(tagProtocol: 0x8100, control: 0)),
            (0, 0x2003, 0, RingFrame.Tag(tagProtocol: 0x8100, control: 0x2003)),
            (0, 0, 0, nil),
        ] as [(UInt32, UInt32, UInt16, RingFrame.Tag?)])
    func `names which tag was taken out of a frame`(
        status: UInt32, control: UInt32, tagProtocol: UInt16, tag: RingFrame.Tag?
    ) {
        var block = Recorded()
        block.header(frames: 1)
        block.frame(
            at: 48, next: 0, interface: 1, length: 60, original: 60, first: 0, tag: (status, control, tagProtocol))
        let seen = Self.seen(block)
        #expect(seen.map(\.tag) == [tag])
        #expect(seen.map(\.original) == [tag == nil ? 60 : 64])
    }

    @Test(arguments: [
        (4 << 20, 1514, 256 << 10, 16), (32 << 20, 1514, 256 << 10, 128), (128 << 10, 1514, 8 << 10, 16),
        (1000, 1514, 4096, 4), (128 << 10, 9230, 16 << 10, 8), (128 << 10, 65_549, 128 << 10, 4),
    ])
    func `has blocks that hold a whole frame each, and many of them`(
        size: Int, longest: Int, blockSize: Int, blocks: Int
    ) {
        let layout = RingLayout(size: size, longestFrame: longest)
        #expect(layout.blockSize == blockSize && layout.blockCount == blocks)
    }

    @Test func `is as large as its share of the memory`() {
        let settings = CaptureSettings()
        // A few interfaces have all that they want, up to a bound.
        #expect(RingLayout.sizes(interfaces: [1, 5, 40], settings) == [4 << 20, 20 << 20, 32 << 20])
        // A thousand hosts at one switch: the switch sees what all of them send.
        let many = RingLayout.sizes(interfaces: [Int](repeating: 1, count: 1000) + [1000], settings)
        #expect(many.first == 128 << 10 && many.last == 32 << 20)
        #expect(many.reduce(0, +) < 192 << 20)
        #expect(RingLayout.sizes(interfaces: [], settings).isEmpty)
    }

    @Test func `asks the kernel for ranges that hold its interfaces and no other`() {
        #expect(NamespaceRing.ranges(of: [5], among: [1, 5, 9]) == [5...5])
        // Every second number is another namespace's.
        #expect(NamespaceRing.ranges(of: [1001, 1003, 1005], among: [1, 2, 1001, 1003, 1005]) == [1001...1005])
        #expect(NamespaceRing.ranges(of: [3, 9], among: [1, 3, 6, 9, 12]) == [3...3, 9...9])
        #expect(NamespaceRing.ranges(of: [7, 8], among: []) == [7...8])
        let scattered = (0..<100).map { Int32(2 * $0 + 1) }
        #expect(NamespaceRing.ranges(of: scattered, among: scattered + scattered.map { $0 + 1 }) == [0...Int32.max])
    }
}
