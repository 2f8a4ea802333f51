@testable import Expectation
import Testing
import Wire

/// What a frame shows of an HTTP message that begins in it.
struct HTTPFieldTests {
    private static func read(_ payload: String, padding: Int = 0) -> FrameReading {
        let segment = Array(FrameBytes.tcp(40_000, 80, flags: 0x18).prefix(20)) + Array(payload.utf8)
        return FrameReading(
            FrameBytes.ethernet(
                to: MACAddress(2, 0, 0, 0, 0, 2), from: MACAddress(2, 0, 0, 0, 0, 1),
                FrameBytes.ipv4(from: "192.0.2.10", to: "192.0.2.100", proto: 6, segment))
                + [UInt8](repeating: 0x41, count: padding))
    }

    /// status, method, uri, host; `-` where the frame lacks it.
    private static func texts(_ reading: FrameReading) -> [String] {
        ["http.status", "http.method", "http.uri", "http.host"].map { name in
            let field = FrameField(name)!
            return reading.value(of: field)?.text(for: field.name) ?? "-"
        }
    }

    @Test(arguments: [
        ("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n", ["502", "-", "-", "-"]),
        ("HTTP/1.0 200\r\n\r\n", ["200", "-", "-", "-"]),
        ("HTTP/1.1 200 \r\n", ["200", "-", "-", "-"]),
        (
            "GET /a?b=c HTTP/1.1\r\nUser-Agent: x\r\nHoSt:  www.example.com \r\n\r\n",
            ["-", "GET", "/a?b=c", "www.example.com"]
        ),
        ("GET / HTTP/1.1\nHost: a\n\n", ["-", "GET", "/", "a"]),
        // A head that goes on in the next segment.
        ("POST /login HTTP/1.1\r\nAccept: */*\r\n", ["-", "POST", "/login", "-"]),
        // A Host in the body is none.
        ("GET / HTTP/1.1\r\n\r\nHost: body\r\n", ["-", "GET", "/", "-"]),
    ])
    func `the beginning of a message gives its fields`(payload: String, expected: [String]) {
        #expect(Self.texts(Self.read(payload)) == expected)
    }

    @Test(arguments: [
        "", "rest of a body", "HTTP/1.1", "HTTP/1.1 20\r\n", "HTTP/1.1 2000 x\r\n", "HTTP/1.1 abc x\r\n",
        "HTTP/2 200 OK\r\n",
        "GET /\r\n", "GET / FTP/1.1\r\n", "GET\r\n\r\n", "AAAAAAAAAAAA", "get / HTTP/1.1\r\n",
    ])
    func `anything else gives none`(payload: String) {
        #expect(Self.texts(Self.read(payload)) == ["-", "-", "-", "-"])
    }

    @Test func `padding behind a short segment is no message`() {
        #expect(Self.texts(Self.read("", padding: 20)) == ["-", "-", "-", "-"])
        #expect(Self.texts(Self.read("HTTP/1.1 200 OK\r\n\r\n", padding: 6)) == ["200", "-", "-", "-"])
    }

    @Test func `a frame cut at any length gives what is there or nothing`() {
        let whole = FrameBytes.ethernet(
            to: MACAddress(2, 0, 0, 0, 0, 2), from: MACAddress(2, 0, 0, 0, 0, 1),
            FrameBytes.ipv4(
                from: "192.0.2.10", to: "192.0.2.100", proto: 6,
                Array(FrameBytes.tcp(1, 80).prefix(20)) + Array("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n".utf8)))
        for length in 0...whole.count { _ = Self.texts(FrameReading(Array(whole.prefix(length)))) }
    }

    @Test func `checks compare statuses as numbers and words as they are`() throws {
        let answer = Self.read("HTTP/1.1 502 Bad Gateway\r\n\r\n")
        func holds(_ field: String, _ condition: FieldCheck.Condition, _ reading: FrameReading) throws -> Bool {
            try CompiledCheck(FieldCheck(field: field, condition: condition)).holds(for: reading)
        }
        #expect(try holds("http.status", .equals("502"), answer))
        #expect(try holds("http.status", .compares(.init(.greaterOrEqual, 500)), answer))
        #expect(try !holds("http.status", .isNot("502"), answer))
        let request = Self.read("GET /x HTTP/1.1\r\nHost: 192.0.2.100\r\n\r\n")
        #expect(try holds("http.host", .isOneOf(["a", "192.0.2.100"]), request))
        #expect(try !holds("http.method", .equals("get"), request))
        // No answer in it: no check of its status holds.
        #expect(try !holds("http.status", .isNot("502"), request))
    }

    @Test func `display filters use Wireshark's names`() {
        #expect(FieldCheck.equals("http.status", "502").displayFilter == "http.response.code == 502")
        #expect(FieldCheck.equals("http.method", "GET").displayFilter == "http.request.method == \"GET\"")
        #expect(FieldCheck.equals("http.host", "a").displayFilter == "http.host == \"a\"")
        #expect(FieldCheck.equals("http.uri", "/\"x").displayFilter == "http.request.uri == \"/x\"")
        #expect(FrameField("inner.http.status") == nil)
        #expect(FrameField("http.method")?.validate("G T")?.contains("without blanks") == true)
    }
}
