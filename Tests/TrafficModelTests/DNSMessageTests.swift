import Measurement
import TestSupport
import Testing

@testable import TrafficModel

/// DNS messages by value. The answers are those of dnsmasq.
@Suite struct `DNS messages` {
    private static let name = DNSName(rawValue: "www.example.test")!

    /// 3www7example4test0
    private static let wireName: [UInt8] = [
        3, 0x77, 0x77, 0x77, 7, 0x65, 0x78, 0x61, 0x6d, 0x70, 0x6c, 0x65, 4, 0x74, 0x65, 0x73, 0x74, 0,
    ]

    private static let query: [UInt8] =
        [0x12, 0x34, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0] + wireName + [0, 28, 0, 1]

    /// A CNAME to `web.example.test` and its AAAA record, both with compressed names; OPT in the additional section.
    private static let answer: [UInt8] =
        [0x12, 0x34, 0x85, 0x80, 0, 1, 0, 2, 0, 0, 0, 1] + wireName + [0, 28, 0, 1]
        + [0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 60, 0, 6, 3, 0x77, 0x65, 0x62, 0xc0, 16]
        + [0xc0, 46, 0, 28, 0, 1, 0, 0, 1, 0, 0, 16, 0x20, 0x01, 0x0d, 0xb8] + [UInt8](repeating: 0, count: 11)
        + [0x80]
        + [0, 0, 41, 4, 0xd0, 0, 0, 0, 0, 0, 0]

    @Test func `a query is what glibc sends`() {
        #expect(DNSMessage.query(0x1234, Self.name, .ipv6Address) == Self.query)
    }

    @Test func `an answer is read with its compressed names`() throws {
        let message = try DNSMessage(Self.answer)
        #expect(message.id == 0x1234 && message.isResponse && !message.isTruncated && message.responseCode == 0)
        #expect(message.questions.count == 1 && message.questions[0].asks(for: Self.name, .ipv6Address))
        #expect(!message.questions[0].asks(for: Self.name, .address))
        #expect(message.answers.map { text($0.labels) } == ["www.example.test", "web.example.test"])
        #expect(message.answers.map(\.type) == [5, 28] && message.answers.map(\.timeToLive) == [60, 256])
        #expect(message.answers[1].data.prefix(4) == [0x20, 0x01, 0x0d, 0xb8] && message.answers[1].data.count == 16)
    }

    private func text(_ labels: [[UInt8]]) -> String {
        labels.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ".")
    }

    @Test func `names are equal whatever the case of their letters, and other names are not`() throws {
        var other = Self.answer
        other[13] = 0x57
        #expect(try DNSMessage(other).questions[0].asks(for: Self.name, .ipv6Address))
        other[13] = 0x78
        #expect(try !DNSMessage(other).questions[0].asks(for: Self.name, .ipv6Address))
        // '@' and '`' differ by the bit of the case, and are no letters.
        other[13] = 0x40
        #expect(try DNSMessage(other).questions[0].labels[0] == [0x40, 0x77, 0x77])
    }

    @Test func `a message that ends early is none, unless it is truncated after its question`() {
        for length in 0..<Self.answer.count {
            var part = Array(Self.answer.prefix(length))
            #expect(throws: DNSMessage.Malformation.short) { try DNSMessage(part) }
            guard length > 2 else { continue }
            part[2] |= 0x02
            let message = try? DNSMessage(part)
            #expect((message != nil) == (length >= Self.query.count), "\(length) bytes")
            if let message { #expect(message.isTruncated && message.answers.count <= 2) }
        }
        #expect(throws: Never.self) { try DNSMessage(Self.answer + [1, 2, 3]) }
    }

    /// The name of the question, at offset 12, by other bytes.
    private static func question(_ name: [UInt8]) -> [UInt8] {
        [0x12, 0x34, 0x80, 0x00, 0, 1, 0, 0, 0, 0, 0, 0] + name + [0, 1, 0, 1]
    }

    @Test(arguments: [
        // To itself, to what comes later, and in a circle of two.
        ([0xc0, 12], DNSMessage.Malformation.pointer), ([0xc0, 14, 0], .pointer), ([1, 0x61, 0xc0, 12], .pointer),
        ([0xff, 0xff], .pointer),
        // Labels of other types.
        ([0x40, 0], .label), ([0x80, 0], .label), ([0xbf], .label),
    ])
    func `pointers that lead nowhere or in circles, and unknown labels, are malformed`(
        _ name: [UInt8], _ malformation: DNSMessage.Malformation
    ) {
        #expect(throws: malformation) { try DNSMessage(Self.question(name)) }
    }

    @Test func `a pointer into the header is followed like any other, and ends`() throws {
        // Offset 10 has the high byte of a count, which is 0: the root.
        #expect(try DNSMessage(Self.question([1, 0x61, 0xc0, 10])).questions[0].labels == [[0x61]])
    }

    @Test func `a name has at most 255 bytes, also where pointers put it together`() throws {
        func name(_ last: Int) -> [UInt8] {
            (0..<3).flatMap { _ in [63] + [UInt8](repeating: 0x61, count: 63) } + [UInt8(last)]
                + [UInt8](repeating: 0x62, count: last)
        }
        #expect(try DNSMessage(Self.question(name(61) + [0])).questions[0].labels.count == 4)
        #expect(throws: DNSMessage.Malformation.name) { try DNSMessage(Self.question(name(62) + [0])) }
        // A second question that adds a label to the first one's name of the greatest length.
        var two = Self.question(name(61) + [0])
        two[5] = 2
        #expect(throws: DNSMessage.Malformation.name) { try DNSMessage(two + [1, 0x63, 0xc0, 12, 0, 1, 0, 1]) }
        #expect(try DNSMessage(two + [0xc0, 12, 0, 1, 0, 1]).questions[1].labels.count == 4)
    }

    @Test func `an address of another length is malformed`() {
        var short = Self.answer
        short[30 + 4 + 18 + 11] = 15
        #expect(throws: DNSMessage.Malformation.address) { try DNSMessage(short) }
    }

    @Test(arguments: [UInt64(2026), 53, 1035])
    func `no bytes at all are read out of bounds, or for ever`(seed: UInt64) {
        print("fuzzing with seed \(seed)")
        var random = SeededGenerator(seed: seed)
        let samples = [Self.query, Self.answer, Self.question([1, 0x61, 0xc0, 10])]
        var wellFormed = 0
        for _ in 0..<20_000 {
            var bytes = samples.randomElement(using: &random)!
            switch Int.random(in: 0..<8, using: &random) {
            case 0:
                bytes = (0..<Int.random(in: 0...300, using: &random)).map { _ in .random(in: 0...255, using: &random) }
            case 1, 2: bytes = Array(bytes.prefix(.random(in: 0...bytes.count, using: &random)))
            case 3:
                bytes += (0..<Int.random(in: 0...40, using: &random)).map { _ in .random(in: 0...255, using: &random) }
            case 4 where bytes.count > 14:
                // A pointer somewhere.
                let place = Int.random(in: 12..<bytes.count - 1, using: &random)
                bytes[place] = 0xc0
                bytes[place + 1] = .random(in: 0...UInt8(bytes.count), using: &random)
            default: break
            }
            for _ in 0..<Int.random(in: 0...4, using: &random) where !bytes.isEmpty {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(in: 0...255, using: &random)
            }
            guard let message = try? DNSMessage(bytes) else { continue }
            wellFormed += 1
            let names = message.questions.map(\.labels) + message.answers.map(\.labels)
            for labels in names where labels.reduce(1, { $0 + $1.count + 1 }) > 255 {
                Issue.record("a name of more than 255 bytes, with seed \(seed): \(bytes)")
            }
        }
        #expect(wellFormed > 1000 && wellFormed < 20_000, "seed \(seed)")
    }
}
