import Testing
import Wire

@testable import TrafficModel

/// What a client reads of answers, and writes for FTP.
struct AnswerTextTests {
    @Test func `replies of several lines are one, and endless lines are nobody's`() {
        var lines = ControlLines()
        var seen: [String] = []
        for piece in ["220-hel", "lo\r\n220 r", "eady\r\n", String(repeating: "x", count: 5000), "\r\n", "200 ok\n"] {
            Array(piece.utf8).withUnsafeBytes { lines.consume($0) { seen.append($0) } }
        }
        #expect(seen == ["220-hello", "220 ready", "200 ok"])
        #expect(seen.map { FTPReply($0)?.code } == [nil, 220, 200])
        #expect(FTPReply("99 x") == nil && FTPReply("600 x") == nil && FTPReply("2000 x") == nil)
    }

    @Test func `endpoints are written and read in both forms`() {
        let endpoint = Endpoint(address: .ipv4(IPv4Address(10, 0, 0, 1)), port: 1025)
        #expect(DataEndpointText.classic(endpoint) == "10,0,0,1,4,1")
        #expect(DataEndpointText.classic("Entering Passive Mode (10,0,0,1,4,1).") == endpoint)
        #expect(DataEndpointText.extended(DataEndpointText.extended(endpoint)) == endpoint)
        let six = Endpoint(address: .ipv6(IPv6Address("2001:db8::1")!), port: 1025)
        #expect(DataEndpointText.classic(six) == nil)
        #expect(DataEndpointText.extended(six) == "|2|2001:db8::1|1025|")
        #expect(DataEndpointText.extended(DataEndpointText.extended(six)) == six)
        #expect(DataEndpointText.port("ok (|||6446|)") == 6446)
        for text in ["", "(10,0,0,1,4)", "10,0,0,1,4,256"] { #expect(DataEndpointText.classic(text) == nil) }
        for text in ["", "|1|::1|5|", "|2|10.0.0.1|5|", "|1|10.0.0.1|5"] {
            #expect(DataEndpointText.extended(text) == nil)
        }
    }

    @Test func `an answer is read however it is cut, and its status tells`() {
        let text = Array(
            "HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 502 Bad Gateway\r\ncontent-length: 3\r\nX-Balancer-Reason: connect-timeout\r\n\r\nabc"
                .utf8)
        for cut in 1..<text.count {
            var reader = HTTPAnswerReader()
            text[..<cut].withUnsafeBytes { reader.consume($0) }
            #expect(!reader.isComplete)
            text[cut...].withUnsafeBytes { reader.consume($0) }
            #expect(reader.isComplete && reader.status == 502 && reader.reason == "connect-timeout", "cut at \(cut)")
        }
    }

    @Test(arguments: ["-9223372036854775808", "-5", "+5", "5 5", "99999999999999999999", "", "0x10"])
    func `a length that is none is garbage, whatever follows`(length: String) {
        var reader = HTTPAnswerReader()
        Array("HTTP/1.1 200 OK\r\nContent-Length: \(length)\r\n\r\nabc".utf8).withUnsafeBytes { reader.consume($0) }
        #expect(reader.isGarbage)
    }

    @Test func `chunks are followed however they are cut, and a length that is none is garbage`() {
        let text = Array(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n3\r\n0\r\n\r\n1\r\nx\r\n0\r\nTrailer: y\r\n\r\n"
                .utf8)
        for cut in 1..<text.count {
            var reader = HTTPAnswerReader()
            text[..<cut].withUnsafeBytes { reader.consume($0) }
            #expect(!reader.isComplete, "cut at \(cut)")
            text[cut...].withUnsafeBytes { reader.consume($0) }
            #expect(reader.leavesConnectionUsable && !reader.isGarbage, "cut at \(cut)")
        }
        for size in ["x", "-1", "123456789", ""] {
            var reader = HTTPAnswerReader()
            Array("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\(size)\r\n".utf8)
                .withUnsafeBytes { reader.consume($0) }
            #expect(reader.isGarbage, "\(size)")
        }
    }

    @Test func `spaces around a length do not belong to it`() {
        var reader = HTTPAnswerReader()
        Array("HTTP/1.1 200 OK\r\nContent-Length:  3  \r\n\r\nabc".utf8).withUnsafeBytes { reader.consume($0) }
        #expect(reader.isComplete && !reader.isGarbage)
    }

    @Test func `what is no HTTP is garbage, and so is a head without end`() {
        for text in [
            "nonsense\r\n\r\n", "HTTP/1.1 x\r\n\r\n", "HTTP/1.1 99 ?\r\n\r\n", String(repeating: "a", count: 70_000),
        ] {
            var reader = HTTPAnswerReader()
            Array(text.utf8).withUnsafeBytes { reader.consume($0) }
            #expect(reader.isGarbage && reader.status == nil)
        }
    }
}
