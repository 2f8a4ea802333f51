import Foundation
import Testing

@testable import HostSide

@Suite struct `HTTP service, its bytes one by one` {
    @Test func `a chunked request may be cut anywhere`() throws {
        let bench = try HandDriven()
        let body = "5;x=y\r\nhello\r\n1A\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\nT: 1\r\n\r\n"
        bench.clientSends("POST /cut HTTP/1.1\r\nHost: lab\r\nTransfer-Encoding: chunked\r\n\r\n")
        for byte in body.utf8 { bench.clientSends(String(UnicodeScalar(byte))) }
        #expect(bench.until { bench.atMember.hasSuffix("0\r\n\r\n") }, "\(bench.atMember)")
        // The pieces of the body stand between their sizes, as they came.
        let lines = bench.atMember.afterHead.components(separatedBy: "\r\n")
        let pieces = lines.indices.filter { $0 % 2 == 1 }.map { lines[$0] }
        #expect(pieces.joined() == "helloabcdefghijklmnopqrstuvwxyz")
        bench.answer("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        #expect(bench.until { bench.log.count == 1 })
        #expect(bench.log.first?.status == 204)
    }

    @Test func `a client that leaves while the last of its answer waits has not got it`() throws {
        let bench = try HandDriven()
        bench.clientSends("GET / HTTP/1.1\r\nHost: lab\r\n\r\n")
        #expect(bench.until { bench.atMember.hasSuffix("\r\n\r\n") })
        let chunk = "2000\r\n" + String(repeating: "x", count: 0x2000) + "\r\n"
        bench.answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        var size = 0
        // More than the client's socket takes, and then the member is read no more.
        while bench.connection.canTakeMore {
            bench.answer(chunk)
            size += 0x2000
        }
        bench.answer(chunk)
        bench.answer("0\r\n\r\n")
        #expect(bench.log.isEmpty)
        bench.clientResets()
        #expect(bench.until { bench.log.count == 1 })
        #expect(bench.log.first?.reason == "client-closed" && bench.log.first?.responseSize == size)
    }
}
