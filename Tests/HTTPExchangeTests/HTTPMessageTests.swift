import LabEvents
import TestSupport
import Testing

@testable import HTTPExchange

@Suite struct `HTTP messages` {
    private func read(_ text: String) -> Result<RequestHead, MessageFault> {
        Array(text.utf8).withUnsafeBytes { bytes in
            var scanner = HeadScanner()
            do throws(MessageFault) {
                guard let length = try scanner.end(in: bytes) else { return .failure(.incomplete) }
                return .success(try RequestHead(bytes.part(0..<length), mostFields: 100))
            } catch {
                return .failure(error)
            }
        }
    }

    private func fault(_ text: String) -> MessageFault? {
        if case .failure(let fault) = read(text) { fault } else { nil }
    }

    static let bad: [(String, MessageFault)] = [
        ("GET / HTTP/1.1\nHost: a\n\n", .bareLineEnding),
        ("GET / HTTP/1.1\r\nHost: a\n\r\n", .bareLineEnding),
        ("GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", .bareLineEnding),
        ("GET / HTTP/1.1\r\rHost: a\r\n\r\n", .bareLineEnding),
        ("GET / HTTP/1.1\r\nHost: a\r\n\rX\r\n\r\n", .bareLineEnding),
        (" GET / HTTP/1.1\r\nHost: a\r\n\r\n", .malformedRequestLine),
        ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", .malformedRequestLine),
        ("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", .malformedRequestLine),
        ("GET /\t HTTP/1.1\r\nHost: a\r\n\r\n", .malformedRequestLine),
        ("GET /\u{e9} HTTP/1.1\r\nHost: a\r\n\r\n", .malformedRequestLine),
        ("GET / HTTP/1.1 \r\nHost: a\r\n\r\n", .malformedRequestLine),
        ("GET / http/1.1\r\nHost: a\r\n\r\n", .malformedRequestLine),
        ("GET / HTTP/1.1x\r\nHost: a\r\n\r\n", .malformedRequestLine),
        ("GET /\r\n\r\n", .malformedRequestLine),
        ("GET a HTTP/1.1\r\nHost: a\r\n\r\n", .malformedRequestLine),
        ("GET * HTTP/1.1\r\nHost: a\r\n\r\n", .malformedRequestLine),
        ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", .unsupportedVersion),
        ("GET / HTTP/0.9\r\nHost: a\r\n\r\n", .unsupportedVersion),
        ("CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", .unsupportedMethod),
        ("GET / HTTP/1.1\r\n\r\n", .missingHost),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", .severalHosts),
        ("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", .malformedHost),
        ("GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", .malformedHost),
        ("GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", .malformedHost),
        ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", .malformedField),
        ("GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n", .malformedField),
        ("GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n", .malformedField),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: \u{0}\r\n\r\n", .malformedField),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: a\u{7f}\r\n\r\n", .malformedField),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n", .foldedField),
        ("GET / HTTP/1.1\r\n Host: a\r\n\r\n", .foldedField),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", .severalLengths),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", .severalLengths),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\n", .severalLengths),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n", .malformedLength),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", .malformedLength),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\n", .malformedLength),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", .malformedLength),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999999999999999\r\n\r\n", .malformedLength),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", .lengthAndCoding),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n", .lengthAndCoding),
        ("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", .codingInHTTP10),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", .unsupportedCoding),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n", .unsupportedCoding),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n", .unsupportedCoding),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
            .unsupportedCoding
        ),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\r\n", .unsupportedCoding),
        ("POST / HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\n\r\n", .unsupportedExpectation),
    ]

    @Test(arguments: bad.indices)
    func `a head that two readers could take for two things is refused`(index: Int) {
        let (text, expected) = Self.bad[index]
        let found = fault(text)
        #expect(found == expected, "\(text.debugDescription)")
    }

    @Test(arguments: [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.7\r\nHost:\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "GET http://a:80/x HTTP/1.1\r\nHost: b\r\n\r\n",
        "M-SEARCH /?q HTTP/1.1\r\nhOsT:\t[::1]:80 \r\nX: \u{e9}\t \r\nExpect: 100-Continue\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n",
    ])
    func `a head that is in order is read`(text: String) {
        let found = fault(text)
        #expect(found == nil)
    }

    @Test func `a head is incomplete at every length but its own`() {
        let text = "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n"
        for length in 0..<text.utf8.count {
            let found = fault(String(decoding: Array(text.utf8)[..<length], as: UTF8.self))
            #expect(found == .incomplete, "\(length)")
        }
    }

    // MARK: Bodies

    /// The body in these bytes, however they are cut; nil where it is refused.
    private func decode(_ framing: BodyDecoder.Framing, _ bytes: [UInt8], pieces: [Int]) -> (
        body: [UInt8], rest: Int, isComplete: Bool
    )? {
        var decoder = BodyDecoder(framing)
        var (input, body, position) = ([UInt8](), [UInt8](), 0)
        for piece in pieces + [bytes.count] where position < bytes.count {
            let end = min(bytes.count, position + max(1, piece))
            input += bytes[position..<end]
            position = end
            let rest = input.withUnsafeBytes { bytes -> Int? in
                var rest = bytes
                do throws(MessageFault) {
                    while let part = try decoder.next(&rest) { body += part }
                    return rest.count
                } catch {
                    return nil
                }
            }
            guard let rest else { return nil }
            input.removeFirst(input.count - rest)
        }
        return (body, input.count, decoder.isComplete)
    }

    @Test(arguments: UInt64(1)...20)
    func `a chunked body is the same however it is cut`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var (body, wire): ([UInt8], [UInt8]) = ([], [])
        for _ in 0..<Int.random(in: 0...6, using: &generator) {
            let chunk = (0..<Int.random(in: 1...40, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
            body += chunk
            let size = String(chunk.count, radix: 16, uppercase: Bool.random(using: &generator))
            wire += Array(
                "\(Bool.random(using: &generator) ? "00" : "")\(size)\(Bool.random(using: &generator) ? ";a=\"b\"" : "")\r\n"
                    .utf8)
            wire += chunk + [13, 10]
        }
        wire += Array("0\r\n\(Bool.random(using: &generator) ? "t: 1\r\n" : "")\r\nnext".utf8)
        let pieces = (0..<wire.count).map { _ in Int.random(in: 1...5, using: &generator) }
        let whole = decode(.chunked, wire, pieces: [])
        let cut = decode(.chunked, wire, pieces: pieces)
        #expect(whole?.body == body && cut?.body == body, "seed \(seed)")
        #expect(whole?.rest == 4 && cut?.rest == 4 && cut?.isComplete == true, "seed \(seed)")
    }

    @Test(arguments: [
        "\r\n", "g\r\n", " 1\r\na\r\n", "1 \r\na\r\n", "0x1\r\na\r\n", "-1\r\n", "1\na\r\n", "1\ra", "1\r\nab\r\n",
        "1\r\na\n",
        "1\r\na\rb", "1;\u{0}\r\n", "1111111111111111\r\n", "0\r\nbad line\r\n", "0\r\n : x\r\n", "0\r\nx: \ny\r\n",
        "1;" + String(repeating: "x", count: 300),
    ])
    func `chunks out of order are refused`(text: String) {
        let outcome = decode(.chunked, Array(text.utf8), pieces: [])
        #expect(outcome == nil)
    }

    @Test func `a body of a stated length ends there`() {
        let outcome = decode(.length(3), Array("abcdef".utf8), pieces: [1, 1, 3])
        #expect(outcome?.body == Array("abc".utf8) && outcome?.isComplete == true && outcome?.rest == 3)
    }
}
