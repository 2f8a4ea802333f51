import Testing
import Wire

@Suite struct `Five-tuples` {
    let tuple = FiveTuple(
        source: Example.client, destination: Example.service, sourcePort: 40000, destinationPort: 80, protocol: .tcp)

    @Test func `fields come back`() {
        #expect(tuple.source == Example.client && tuple.destination == Example.service)
        #expect(tuple.sourcePort == 40000 && tuple.destinationPort == 80 && tuple.protocol == .tcp)
        #expect(tuple.description == "tcp 192.0.2.10:40000 > 198.51.100.100:80")
    }

    @Test func `each field is set alone`() {
        var other = tuple
        other.source = .broadcast
        other.sourcePort = .max
        #expect(other.destination == tuple.destination && other.destinationPort == tuple.destinationPort)
        #expect(other.protocol == .tcp && other.source == .broadcast && other.sourcePort == .max)
        other.destination = .any
        other.destinationPort = 0
        other.protocol = .udp
        #expect(other.source == .broadcast && other.sourcePort == .max && other.destination == .any)
        #expect(other.destinationPort == 0 && other.protocol == .udp)
    }

    @Test func `reversed twice is the same, once is the other direction`() {
        #expect(tuple.reversed.reversed == tuple && tuple.reversed != tuple)
        #expect(tuple.reversed.source == Example.service && tuple.reversed.sourcePort == 80)
        #expect(tuple.reversed.protocol == .tcp)
    }

    @Test func `a glance at a frame sees the flow of UDP and TCP over IPv4 without options, and nothing in others`() {
        var frame = [UInt8](repeating: 0xa5, count: 64)
        frame.replaceSubrange(12..<15, with: [0x08, 0x00, 0x45])
        frame[23] = 6
        frame.replaceSubrange(26..<38, with: [192, 0, 2, 10, 198, 51, 100, 100, 0x9c, 0x40, 0, 80])
        func glance(_ frame: [UInt8]) -> FiveTuple? { frame.withUnsafeBytes { FiveTuple(glancingAt: $0) } }
        #expect(glance(frame) == tuple)
        var datagram = frame
        datagram[23] = 17
        #expect(glance(datagram)?.protocol == .udp && glance(datagram)?.destination == Example.service)
        for (offset, value) in [(12, 0x86), (13, 0x06), (14, 0x46), (23, 1)] as [(Int, UInt8)] {
            var other = frame
            other[offset] = value
            #expect(glance(other) == nil, "byte \(offset)")
        }
        for length in 0..<38 { #expect(glance(Array(frame.prefix(length))) == nil, "\(length) bytes") }
        #expect(glance(Array(frame.prefix(38))) == tuple)
    }

    @Test func `every field takes part in equality`() {
        let others = (0..<5).map { field in
            var other = tuple
            switch field {
            case 0: other.source = .any
            case 1: other.destination = .any
            case 2: other.sourcePort = 1
            case 3: other.destinationPort = 1
            default: other.protocol = .udp
            }
            return other
        }
        #expect(Set(others + [tuple]).count == 6)
    }

    /// A table indexes by the low bits and a ring by the high ones: both must be even for neighbouring ports and
    /// addresses, which is what real traffic has.
    @Test(arguments: [0, 52])
    func `neighbouring flows spread evenly`(_ shift: UInt64) {
        var buckets = [Int](repeating: 0, count: 4096)
        for host in 0..<16 {
            for port in 0..<4096 {
                let flow = FiveTuple(
                    source: IPv4Address(rawValue: Example.client.rawValue + UInt32(host)),
                    destination: Example.service, sourcePort: 32768 + UInt16(port), destinationPort: 80, protocol: .tcp)
                buckets[Int(flow.mixedHash >> shift & 4095)] += 1
            }
        }
        // 16 on average; a fair throw has a maximum near 35 and leaves no bucket empty.
        #expect(buckets.max()! < 48 && buckets.min()! > 0, "\(buckets.min()!) … \(buckets.max()!)")
    }
}
