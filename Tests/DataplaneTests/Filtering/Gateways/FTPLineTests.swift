import TestSupport
import Testing
import Wire

@testable import Dataplane

/// What an application gateway reads in lines of FTP.
struct FTPLineTests {
    static func command(_ text: String, in version: IPVersion = .ipv4) -> FTPLine {
        Array(text.utf8).withUnsafeBytes { FTPLine(command: $0, in: version) }
    }

    static func reply(_ text: String, in version: IPVersion = .ipv4) -> FTPLine {
        Array(text.utf8).withUnsafeBytes { FTPLine(reply: $0, in: version) }
    }

    @Test func `PORT and EPRT name an endpoint, in any case`() {
        let wanted = FTPLine.port(.ipv4(IPv4Address(132, 235, 1, 2)), 6275)
        for text in [
            "PORT 132,235,1,2,24,131", "port 132,235,1,2,24,131", "EPRT |1|132.235.1.2|6275|",
            "eprt !1!132.235.1.2!6275!",
        ] {
            #expect(Self.command(text) == wanted, "\(text)")
        }
    }

    @Test(arguments: [
        "PORT", "PORT ", "PORT 1,2,3,4,5", "PORT 1,2,3,4,5,6,7", "PORT 1,2,3,4,5,6 ", "PORT 256,2,3,4,5,6",
        "PORT 1,2,3,4,0,0", "PORT 1,2,3,4,,6", "PORT -1,2,3,4,5,6", "PORT 1.2.3.4,5,6", "PORT 1,2,3,4,5,000006",
        "EPRT", "EPRT |1|1.2.3.4|5", "EPRT |1|1.2.3|500|", "EPRT |1|1.2.3.4|65536|", "EPRT |1|1.2.3.4|0|",
        "EPRT |1|1.2.3.4|500|x", "EPRT 1|1.2.3.4|500|", "EPRT |1!1.2.3.4|500|", "EPRT |1|1.2.3.999|500|",
    ])
    func `an announcement in any other form is malformed`(text: String) {
        #expect(Self.command(text) == .malformed)
    }

    @Test func `questions and everything else are told apart`() {
        #expect(Self.command("PASV") == .asksForPassive && Self.command("pasv ") == .asksForPassive)
        #expect(Self.command("EPSV") == .asksForExtendedPassive && Self.command("EPSV 1") == .asksForExtendedPassive)
        for text in ["", "EPSV ALL", "PASVX", "PORTX 1,2,3,4,5,6", " PASV", "RETR PASV", "EPRT |2|2001:db8::1|500|"] {
            #expect(Self.command(text) == .other, "\(text)")
        }
    }

    @Test func `over IPv6 EPRT names an IPv6 endpoint, and the forms of IPv4 announce nothing`() throws {
        for (text, address, port) in [
            ("EPRT |2|1080::8:800:200C:417A|5282|", "1080::8:800:200c:417a", UInt16(5282)),
            ("eprt !2!::1!2000!", "::1", 2000), ("EPRT |2|2001:db8::|1024|", "2001:db8::", 1024),
            ("EPRT |2|1:2:3:4:5:6:7:8|1024|", "1:2:3:4:5:6:7:8", 1024), ("EPRT |2|::|1024|", "::", 1024),
            ("EPRT |2|1::8|1024|", "1::8", 1024), ("EPRT |2|1:2:3:4:5:6:7::|1024|", "1:2:3:4:5:6:7:0", 1024),
        ] {
            let wanted = try #require(IPAddress(address))
            #expect(Self.command(text, in: .ipv6) == .port(wanted, port), "\(text)")
        }
        for text in [
            "EPRT |2|1:2:3:4:5:6:7|500|", "EPRT |2|1:2:3:4:5:6:7:8:9|500|", "EPRT |2|1::2::3|500|",
            "EPRT |2|:1|500|", "EPRT |2|1:|500|", "EPRT |2|12345::|500|", "EPRT |2|g::|500|", "EPRT |2||500|",
            "EPRT |2|1:2:3:4:5:6:7:8::|500|", "EPRT |2|2001:db8::1|0|",
        ] {
            #expect(Self.command(text, in: .ipv6) == .malformed, "\(text)")
        }
        for text in ["PORT 132,235,1,2,24,131", "EPRT |1|132.235.1.2|6275|"] {
            #expect(Self.command(text, in: .ipv6) == .other, "\(text)")
        }
        #expect(Self.reply("227 Entering Passive Mode (10,0,0,1,4,1)", in: .ipv6) == .other)
        #expect(Self.reply("229 Entering Extended Passive Mode (|||6446|)", in: .ipv6) == .extendedPassive(6446))
    }

    @Test func `227 is read from its first digit on, whatever stands around`() {
        let wanted = FTPLine.passive(.ipv4(IPv4Address(10, 0, 0, 1)), 1025)
        for text in [
            "227 Entering Passive Mode (10,0,0,1,4,1)", "227 Entering Passive Mode (10,0,0,1,4,1).",
            "227 =10,0,0,1,4,1", "227 10,0,0,1,4,1 is where I listen",
        ] {
            #expect(Self.reply(text) == wanted, "\(text)")
        }
        for text in ["227 Entering Passive Mode", "227 (10,0,0,1,4)", "227 (10,0,0,1,4,1,1)", "227 (10,0,0,1,4,256)"] {
            #expect(Self.reply(text) == .malformed, "\(text)")
        }
    }

    @Test func `229 has one mark four times and a port`() {
        #expect(Self.reply("229 Entering Extended Passive Mode (|||6446|)") == .extendedPassive(6446))
        #expect(Self.reply("229 ok (!!!6446!)") == .extendedPassive(6446))
        for text in [
            "229 ok", "229 (|||6446)", "229 (||6446|)", "229 (|||6446|", "229 (|||0|)", "229 (|||65536|)",
            "229 (   6446 )",
            "229 (|1|10.0.0.1|6446|)",
        ] {
            #expect(Self.reply(text) == .malformed, "\(text)")
        }
    }

    @Test func `other replies, and lines that go on, announce nothing`() {
        #expect(Self.reply("425 No") == .failure && Self.reply("530 Log in") == .failure)
        for text in [
            "", "2", "227", "227-Entering Passive Mode (10,0,0,1,4,1)", "200 (10,0,0,1,4,1)", "x227 (10,0,0,1,4,1)",
        ] {
            #expect(Self.reply(text) == .other, "\(text)")
        }
    }

    @Test func `only complete lines of a segment are lines`() {
        func lines(_ text: String) -> [String] {
            Array(text.utf8).withUnsafeBytes { bytes in
                var (reader, found) = (FTPLines(bytes), [String]())
                while let line = reader.next() { found.append(String(decoding: line, as: UTF8.self)) }
                return found
            }
        }
        #expect(lines("TYPE I\r\nPASV\nQU") == ["TYPE I", "PASV"])
        #expect(lines("\r\n\n") == ["", ""])
        #expect(lines("PASV\r").isEmpty && lines("").isEmpty)
    }

    @Test func `no bytes whatever bring the reader beyond a line's end`() {
        let seed: UInt64 = .random(in: .min ... .max)
        var random = SeededGenerator(seed: seed)
        let pieces = [
            "PORT ", "EPRT ", "227 ", "229 (", "|", "|2|", "::", "fe80:", ",", "1", "255", "65535", ")", "\u{0}", " ",
            "9999999999",
        ]
        for _ in 0..<20_000 {
            let text = (0..<Int.random(in: 0..<14, using: &random)).map { _ in pieces.randomElement(using: &random)! }
                .joined()
            var bytes = Array(text.utf8)
            if !bytes.isEmpty, Bool.random(using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(in: 0...255, using: &random)
            }
            // The buffer ends with the line: what reads further is out of bounds.
            let length = bytes.count
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: length, alignment: 1)
            buffer.copyBytes(from: bytes)
            let version: IPVersion = Bool.random(using: &random) ? .ipv4 : .ipv6
            let both = [
                FTPLine(command: UnsafeRawBufferPointer(buffer), in: version),
                FTPLine(reply: UnsafeRawBufferPointer(buffer), in: version),
            ]
            for case .port(_, let port) in both { #expect(port > 0, "seed \(seed)") }
            buffer.deallocate()
        }
    }

    @Test func `lines end where they ended, whichever segment came first`() {
        var ends = LineEnds()
        #expect(ends.isLineStart(5) && !ends.isRepeated(5))
        ends.note(0xffff_fff0)
        #expect(ends.isLineStart(0xffff_fff0) && !ends.isLineStart(5))
        // Over the end of the numbers, with one segment overtaken.
        ends.note(0x20)
        #expect(ends.isLineStart(0xffff_fff0) && ends.isLineStart(0x20) && ends.isRepeated(0xffff_fff0))
        ends.note(0x10)
        #expect(!ends.isLineStart(0x10), "behind what is known")
        ends.note(0x20 &+ 65_536)
        #expect(!ends.isLineStart(0x20 &+ 65_536), "too far ahead")
        ends.note(0x40)
        #expect(!ends.isLineStart(0xffff_fff0) && ends.isLineStart(0x20) && ends.isLineStart(0x40))
    }
}
