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
