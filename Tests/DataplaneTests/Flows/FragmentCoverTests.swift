import Testing
import TestSupport

@testable import Dataplane

struct FragmentCoverTests {
    /// Offset, length, last.
    private typealias Fragment = (Int, Int, Bool)
    private static let datagram: [Fragment] = [
        (0, 1480, false), (1480, 1480, false), (2960, 1480, false), (4440, 13, true),
    ]

    private func complete(_ fragments: [Fragment]) -> [Bool] {
        var cover = FragmentCover()
        return fragments.map { offset, length, isLast in
            cover.add(offset: offset, length: length, isLast: isLast)
            return cover.isComplete
        }
    }

    @Test func `a datagram is complete with its last byte, in every order of its fragments`() {
        var orders: [[Int]] = [[]]
        for _ in 0..<4 {
            orders = orders.flatMap { order in (0..<4).filter { !order.contains($0) }.map { order + [$0] } }
        }
        #expect(orders.count == 24)
        for order in orders {
            #expect(complete(order.map { Self.datagram[$0] }) == [false, false, false, true], "\(order)")
        }
    }

    @Test func `copies and overlaps count once`() {
        let copies = complete([0, 0, 1, 1, 3, 3, 2].map { Self.datagram[$0] })
        #expect(copies == [false, false, false, false, false, false, true])
        #expect(complete([(0, 800, false), (400, 800, false), (1200, 8, true)]) == [false, false, true])
    }

    @Test func `a gap stays a gap, and what would never end does not`() {
        #expect(complete([(0, 800, false), (808, 8, true)]) == [false, false])
        // Not the last, and no multiple of eight: a byte is missing.
        #expect(complete([(0, 801, false), (808, 8, true)]) == [false, false])
        #expect(complete([(0, 0, false), (0, 0, true)]) == [false, false])
        #expect(complete([(65_528, 7, true)]) == [false])
    }

    @Test func `more pieces than it can tell apart cost only that the end goes unnoticed`() {
        var cover = FragmentCover()
        for index in stride(from: 0, to: 64, by: 2) { cover.add(offset: index * 8, length: 8, isLast: false) }
        for index in stride(from: 1, to: 64, by: 2) { cover.add(offset: index * 8, length: 8, isLast: index == 63) }
        let isComplete = cover.isComplete
        #expect(!isComplete)
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `no offset and length from outside traps`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<1000 {
            var cover = FragmentCover()
            for _ in 0..<20 {
                cover.add(
                    offset: Int.random(in: 0...8191, using: &random) * 8,
                    length: Int.random(in: 0...65_535, using: &random),
                    isLast: Bool.random(using: &random))
            }
        }
    }
}
