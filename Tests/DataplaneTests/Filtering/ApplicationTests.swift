import Dataplane
import TestSupport
import Testing
import Wire

struct ApplicationTests {
    static func flow(_ port: UInt16, _ proto: IPProtocol = .tcp) -> FiveTuple {
        FiveTuple(
            source: IPv4Address(192, 0, 2, 10), destination: IPv4Address(198, 51, 100, 20), sourcePort: 40000,
            destinationPort: port, protocol: proto)
    }

    static func read(_ payload: [UInt8], _ flow: FiveTuple) -> (Application, String) {
        let name = UnsafeMutableRawBufferPointer.allocate(byteCount: ApplicationReader.longestName, alignment: 1)
        defer { name.deallocate() }
        let reading = payload.withUnsafeBytes {
            ApplicationReader.read($0, flow.protocol, to: flow.destinationPort, name: name)
        }
        return (reading.application, String(decoding: name[..<reading.nameLength], as: UTF8.self))
    }

    static func http(_ text: String) -> [UInt8] { Array(text.utf8) }

    /// A ClientHello as clients send it, with a session identifier, two suites and extensions before the name.
    static func clientHello(_ name: String?) -> [UInt8] {
        func vector(_ bytes: [UInt8], _ size: Int) -> [UInt8] {
            (0..<size).reversed().map { UInt8(truncatingIfNeeded: bytes.count >> ($0 * 8)) } + bytes
        }
        var extensions: [UInt8] = [0, 23] + vector([], 2)
        if let name { extensions += [0, 0] + vector(vector([0] + vector(Array(name.utf8), 2), 2), 2) }
        let hello: [UInt8] =
            [3, 3] + [UInt8](repeating: 7, count: 32) + vector([UInt8](repeating: 9, count: 32), 1)
            + vector([0x13, 1, 0x13, 2], 2) + vector([0], 1) + vector(extensions, 2)
        return [22, 3, 1] + vector([1] + vector(hello, 3), 2)
    }

    static func question(_ name: String) -> [UInt8] {
        let labels = name.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
        return [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0] + labels + [0, 0, 1, 0, 1]
    }

    @Test func `names are read from HTTP, TLS and DNS`() {
        let request = Self.http("GET /host: HTTP/1.1\r\nAccept: */*\r\nhOsT: \t WWW.Example.COM:8080\r\n\r\n")
        #expect(Self.read(request, Self.flow(8080)) == (.http, "www.example.com"))
        #expect(Self.read(Self.clientHello("Video.Example"), Self.flow(443)) == (.tls, "video.example"))
        #expect(Self.read(Self.question("ns.Example.org"), Self.flow(53, .udp)) == (.dns, "ns.example.org"))
        let overTCP = [0, 33] + Self.question("ns.example.org")
        #expect(Self.read(overTCP, Self.flow(53)) == (.dns, "ns.example.org"))
        #expect(Self.read(Self.http("SSH-2.0-OpenSSH_9.2\r\n"), Self.flow(22)) == (.ssh, ""))
    }

    @Test func `what has no name, or none that can be, is its application without one`() {
        #expect(Self.read(Self.http("GET / HTTP/1.0\r\n\r\n"), Self.flow(80)) == (.http, ""))
        #expect(Self.read(Self.http("POST / HTTP/1.1\r\n\r\nhost: body.example\r\n"), Self.flow(80)) == (.http, ""))
        #expect(Self.read(Self.http("GET / HTTP/1.1\r\nHost: [2001:db8::1]\r\n\r\n"), Self.flow(80)) == (.http, ""))
        #expect(Self.read(Self.http("GET / HTTP/1.1\r\nHost: cut.exam"), Self.flow(80)) == (.http, ""))
        let long = String(repeating: "a", count: 254)
        #expect(Self.read(Self.http("GET / HTTP/1.1\r\nHost: \(long)\r\n\r\n"), Self.flow(80)) == (.http, ""))
        #expect(Self.read(Self.clientHello(nil), Self.flow(443)) == (.tls, ""))
        #expect(Self.read(Self.clientHello("bad name"), Self.flow(443)) == (.tls, ""))
    }

    @Test func `what is none of them is other`() {
        #expect(Self.read(Self.http("GETAWAY"), Self.flow(80)) == (.other, ""))
        #expect(Self.read(Self.question("a.example"), Self.flow(5353, .udp)) == (.other, ""), "not the port of DNS")
        var answer = Self.question("a.example")
        answer[2] = 0x81
        #expect(Self.read(answer, Self.flow(53, .udp)) == (.other, ""))
        var compressed = Self.question("a.example")
        compressed[12] = 0xc0
        #expect(Self.read(compressed, Self.flow(53, .udp)) == (.other, ""))
        #expect(Self.read([], Self.flow(80)) == (.other, ""))
        #expect(Self.read([22, 3, 1, 0, 5, 2], Self.flow(443)) == (.other, ""), "a ServerHello")
    }

    @Test func `nothing read ever leaves the payload or the name, whatever is in it`() {
        let samples = [
            Self.http("GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n"), Self.clientHello("www.example.com"),
            Self.question("www.example.com"), [0, 33] + Self.question("www.example.com"),
        ]
        var random = SeededGenerator(seed: 6066)
        let ports: [(UInt16, IPProtocol)] = [(80, .tcp), (443, .tcp), (53, .udp), (53, .tcp)]
        for _ in 0..<20_000 {
            let choice = Int.random(in: 0..<samples.count, using: &random)
            var bytes = samples[choice]
            for _ in 0..<Int.random(in: 0..<4, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            bytes = Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &random)))
            // An exact allocation: a read behind it is one that the sanitizer, or the next guard, would see.
            let (port, proto) = ports[choice]
            let (_, name) = Self.read(bytes, Self.flow(port, proto))
            #expect(name.utf8.allSatisfy { $0 == 0x2d || $0 == 0x2e || $0 == 0x5f || $0 >= 0x30 && $0 <= 0x7a })
        }
    }

    @Test func `a name is in the category of the longest domain that it is in`() {
        let table = CategoryTable([
            ("video", ["video.example", "CDN.video.example"]), ("news", ["example", "news.test"]),
            ("mail", ["mail.video.example"]),
        ])
        func category(_ name: String) -> UInt16 { Array(name.utf8).withUnsafeBytes { table.category(of: $0) } }
        #expect(category("video.example") == 1 && category("a.b.video.example") == 1)
        #expect(category("notvideo.example") == 2 && category("example") == 2)
        #expect(category("smtp.mail.video.example") == 3 && category("cdn.video.example") == 1)
        #expect(category("news.test.invalid") == 0 && category("") == 0 && category("test") == 0)
    }
}
