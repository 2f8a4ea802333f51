import Dataplane
import TestSupport
import Testing

@Suite struct TranslationPortsTests {
    @Test func `auto-map has the ports 10240 to 32767`() {
        var ports = TranslationPorts()
        var seen = Set<UInt16>()
        while let port = ports.take() { #expect(seen.insert(port).inserted) }
        #expect(seen == Set(10240...32767))
        #expect(ports.count == 22_528)
        #expect(ports.take() == nil)
    }

    @Test func `a port that was given back is used again after all others`() {
        var ports = TranslationPorts(range: 100...104)
        #expect([ports.take(), ports.take()] == [100, 101])
        ports.release(100)
        #expect([ports.take(), ports.take(), ports.take(), ports.take(), ports.take()] == [102, 103, 104, 100, nil])
    }

    @Test func `the start decides the first port`() {
        var ports = TranslationPorts(range: 100...104, start: 13)
        #expect([ports.take(), ports.take(), ports.take()] == [103, 104, 100])
    }

    @Test func `giving back a port twice or a stranger's port changes nothing`() {
        var ports = TranslationPorts(range: 100...104)
        _ = ports.take()
        ports.release(100)
        ports.release(100)
        ports.release(99)
        ports.release(105)
        #expect(ports.count == 0)
    }

    @Test(arguments: [31, 32] as [UInt64])
    func `no port is ever in two hands`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var ports = TranslationPorts(range: 1000...1130, start: seed)
        var taken = Set<UInt16>()
        for _ in 0..<20_000 {
            if Bool.random(using: &random), let port = taken.randomElement(using: &random) {
                ports.release(port)
                taken.remove(port)
            } else if let port = ports.take() {
                #expect((1000...1130).contains(port) && taken.insert(port).inserted, "seed \(seed)")
            } else {
                #expect(taken.count == 131, "seed \(seed)")
            }
            #expect(ports.count == taken.count, "seed \(seed)")
        }
    }
}

@Suite struct PortPatternTests {
    @Test func `a pattern is kept, and what it leaves out is for others`() {
        var ports = TranslationPorts(range: 1000...1010)
        let even = (0..<7).map { _ in ports.take(.parity(of: 4)) }
        #expect(even == [1000, 1002, 1004, 1006, 1008, 1010, nil])
        let odd = (0..<6).map { _ in ports.take(.parity(of: 5)) }
        #expect(odd == [1001, 1003, 1005, 1007, 1009, nil])
    }

    @Test func `the shares of a pair divide all ports, even and odd ones alike`() {
        for port in UInt16.min ... .max {
            #expect(NATShare.first.pattern.allows(port) != NATShare.second.pattern.allows(port))
            #expect(NATShare.first.pattern.allows(port) == (port & 2 == 0))
        }
    }

    @Test func `limits are kept, also when the next port lies outside of them`() {
        var ports = TranslationPorts(range: 1...65535)
        let taken = [
            ports.take(.all, in: 1024...65535), ports.take(.all, in: 1...1023), ports.take(.all, in: 1024...65535),
            ports.take(.all, in: 65535...65535), ports.take(.all, in: 65535...65535), ports.take(),
        ]
        #expect(taken == [1024, 1, 1025, 65535, nil, 2])
    }

    @Test func `one port is taken once`() {
        var ports = TranslationPorts(range: 64...127)
        let taken = [100, 100, 63, 128].map { ($0, ports.take(exactly: $0)) }
        #expect(taken.map(\.1) == [true, false, false, false])
        let (isTaken, isOther, count) = (ports.isTaken(100), ports.isTaken(101), ports.count)
        #expect(isTaken && !isOther && count == 1)
        ports.release(100)
        let again = ports.take(exactly: 100)
        #expect(again)
    }

    @Test(arguments: [51, 52, 53, 54] as [UInt64])
    func `patterns, limits and single ports together never give one port twice`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let range = UInt16.random(in: 1...500, using: &random)...UInt16.random(in: 600...900, using: &random)
        var ports = TranslationPorts(range: range, start: seed)
        var taken = Set<UInt16>()
        for _ in 0..<20_000 {
            let port = UInt16.random(in: 0...1000, using: &random)
            let limits = min(port, 700)...max(port, 300)
            switch Int.random(in: 0..<4, using: &random) {
            case 0:
                if let back = taken.randomElement(using: &random) {
                    ports.release(back)
                    taken.remove(back)
                }
            case 1:
                let got = ports.take(exactly: port)
                #expect(got == (range.contains(port) && taken.insert(port).inserted), "seed \(seed)")
            default:
                let pattern =
                    PortPattern.parity(of: port) & (Bool.random(using: &random) ? NATShare.first.pattern : .all)
                let got = ports.take(pattern, in: limits)
                let free = range.contains { limits.contains($0) && pattern.allows($0) && !taken.contains($0) }
                #expect((got != nil) == free, "seed \(seed)")
                if let got {
                    #expect(limits.contains(got) && range.contains(got) && pattern.allows(got), "seed \(seed)")
                    #expect(taken.insert(got).inserted, "seed \(seed)")
                }
            }
            #expect(ports.count == taken.count, "seed \(seed)")
        }
    }
}
