import Appliances
import Dataplane
import LabTime
import TestSupport
import Testing
import VirtualNetwork
import Wire

@Suite struct NATFuzzTests {
    /// Packets, garbage, damaged packets, fragments and errors; whatever leaves by the outside port comes from a pool's
    /// address or the box, and nothing stays when all timers have run out.
    @Test(arguments: [301, 302, 303, 304, 305, 306] as [UInt64])
    func `no inside address ever leaves, whatever arrives`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let filtering = NATPool.Filtering.allCases[Int(seed % 3)]
        let bench = NATBench(
            [NATBench.pool("192.0.2.9", "192.0.2.10", ports: 2000...2063, filtering: filtering)], sessionCapacity: 64)
        var seen: [[UInt8]] = []
        var isHolding = false
        let flags = ["SYN", "SYN,ACK", "ACK", "PSH,ACK", "FIN,ACK", "RST"]
        for step in 0..<4_000 {
            func number(_ range: ClosedRange<Int>) -> Int { .random(in: range, using: &random) }
            let inside = "10.0.0.\(number(10...13))"
            let external = "192.0.2.\(number(9...10))"
            let remote = "203.0.113.\(number(5...6))"
            let proto = ["tcp", "udp"].randomElement(using: &random)!
            let end = proto == "tcp" ? " \(flags.randomElement(using: &random)!)" : ""
            let text = [
                "inside \(proto) \(inside):\(number(2000...2010)) > \(remote):\(number(53...55))\(end)",
                "outside \(proto) \(remote):\(number(53...55)) > \(external):\(number(1999...2064))\(end)",
                "inside \(proto) \(inside):\(number(2000...2010)) > \(external):\(number(2000...2063))\(end)",
                "inside icmp \(inside) > \(remote) 8/0 id \(number(2000...2004))",
                "outside icmp \(remote) > \(external) 0/0 id \(number(2000...2010))",
            ].randomElement(using: &random)!
            var frames = [bench.frame(text, payload: [UInt8](repeating: 7, count: number(0...200)))]
            switch number(0...6) {
            case 0:
                for _ in 0..<number(1...4) {
                    let place = number(0...frames[0].bytes.count - 1)
                    frames[0].bytes[place] = .random(in: .min ... .max, using: &random)
                }
            case 1: frames[0].bytes.removeLast(number(0...frames[0].bytes.count - 1))
            case 2:
                frames[0].bytes = (0..<number(1...200)).map { _ in .random(in: .min ... .max, using: &random) }
            case 3:
                let frame = frames[0]
                frames = NATBench.fragments(
                    frame.bytes, size: 8 * number(3...8), identification: UInt16(number(1...20))
                )
                .map { BoxFrame($0, port: frame.port) }.shuffled(using: &random)
            case 4:
                if let about = seen.randomElement(using: &random) {
                    var quote = Array(about[14...].prefix(number(0...60)))
                    if !quote.isEmpty, number(0...2) == 0 { quote[number(0...quote.count - 1)] ^= 1 }
                    let sender = ["203.0.113.5", inside].randomElement(using: &random)!
                    let to = about.withUnsafeBytes { $0.baseAddress!.readIPv4(at: 26) }
                    let port = sender == inside ? "inside" : "outside"
                    frames = [
                        bench.frame(
                            "\(port) icmp \(sender) > \(to) \([3, 11].randomElement(using: &random)!)/\(number(0...4))",
                            payload: quote)
                    ]
                }
            default: break
            }
            let isDamaged =
                isHolding
                || frames.contains { frame in
                    frame.bytes.withUnsafeBytes { bytes in
                        var copy = Array(bytes)
                        return copy.withUnsafeMutableBytes {
                            PacketView($0).map { !$0.isTransportChecksumValid } ?? true
                        }
                    }
                }
            bench.checksChecksums = !isDamaged
            let out = bench.raw(frames)
            // A damaged fragment may leave with a later one.
            isHolding = bench.counter("fragments.held") > 0
            for frame in out
            where frame.side == .wire && frame.port == 0 && frame.bytes.count >= 34 && frame.bytes[12] == 8
                && frame.bytes[13] == 0
            {
                let source = frame.bytes.withUnsafeBytes { $0.baseAddress!.readIPv4(at: 26) }
                #expect(
                    source.rawValue >> 24 == 192 || source.rawValue >> 8 != 0x0a0000,
                    "seed \(seed), step \(step): \(source) left")
            }
            seen += out.map(\.bytes)
            if seen.count > 100 { seen.removeFirst(seen.count - 100) }
            if number(0...100) == 0 { bench.pass(.seconds(number(0...100))) }
        }
        bench.pass(.seconds(20_000))
        #expect(bench.counter("sessions") == 0, "seed \(seed)")
        #expect(bench.counter("nat.mappings") == 0, "seed \(seed)")
        #expect(bench.counter("fragments.held") == 0, "seed \(seed)")
        #expect(bench.counter("nat.granted") > 10, "seed \(seed)")
    }
}
