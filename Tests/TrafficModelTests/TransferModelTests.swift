import LabTime
import Measurement
import Testing
import Wire

@testable import TrafficModel

/// `ftp` in virtual time.
struct TransferModelTests {
    /// A transfer with the server's part played by the test.
    private struct Played {
        var model: TransferModel
        var transport = PlayedTransport()
        var events: [FlowEvent] = []

        init(_ transfer: FileTransfer, offset: Duration = .zero) {
            let program = playedProgram(.ftp, every: .milliseconds(50), transfer: transfer)
            model = TransferModel(program, offset: offset, at: playedTime(0))
        }

        mutating func step(_ input: TransferInput, at milliseconds: Int) {
            events += model.step(input, at: playedTime(milliseconds), over: &transport)
        }

        /// The server replies; what the client sends then is returned.
        mutating func reply(_ line: String, at milliseconds: Int) -> String {
            transport.sent = []
            transport.incoming = [Array("\(line)\r\n".utf8)]
            step(.control(.readable), at: milliseconds)
            return transport.sentText
        }

        mutating func time(_ milliseconds: Int) -> String {
            transport.sent = []
            step(.control(.time), at: milliseconds)
            return transport.sentText
        }

        mutating func logIn() {
            step(.control(.connected), at: 1)
            #expect(reply("220 ready", at: 2) == "USER anonymous\r\n")
            #expect(reply("331 password", at: 3) == "PASS lab@\r\n")
            #expect(reply("230 welcome", at: 4) == "TYPE I\r\n")
            #expect(reply("200 binary", at: 5) == "")
            #expect(events == [.firstAnswer])
        }

        mutating func file(_ count: Int, at milliseconds: Int, ends: Bool = true) {
            transport.data = [(0..<count).map { FileTransfer.byte(at: $0) }]
            transport.dataEnding = ends ? .endOfStream : .wouldBlock
            step(.dataReadable, at: milliseconds)
        }

        var ending: FlowEnding? {
            for case .ended(let ending) in events { return ending }
            return nil
        }

        var reading: FlowReading { model.figures(at: playedTime(1000), ending ?? .survived).reading }
    }

    @Test func `passive: the client connects to where the server says, asks for the file, and begins again in time`() {
        var played = Played(FileTransfer(mode: .passive, dataAfter: .milliseconds(20), bytes: 300))
        played.logIn()
        #expect(played.time(5) == "PASV\r\n")
        #expect(played.reply("227 Entering Passive Mode (192,0,2,7,4,1)", at: 6) == "")
        #expect(played.model.deadline == playedTime(26))
        _ = played.time(26)
        #expect(played.transport.dataTargets == [Endpoint(address: .ipv4(IPv4Address("192.0.2.7")!), port: 1025)])
        played.step(.dataConnected, at: 27)
        #expect(played.transport.sentText == "RETR 300\r\n")
        played.file(300, at: 30)
        #expect(played.transport.dataClosings == 1 && played.reading.received == 0)
        #expect(played.reply("226 done", at: 31) == "")
        #expect(played.reading.received == 1)
        #expect(played.time(54) == "" && played.time(55) == "PASV\r\n")
    }

    @Test func `extended passive: the port is on the server's own address`() {
        var played = Played(FileTransfer(mode: .extendedPassive, bytes: 10))
        played.logIn()
        #expect(played.time(5) == "EPSV\r\n")
        _ = played.reply("229 (|||1026|)", at: 6)
        _ = played.time(6)
        #expect(played.transport.dataTargets == [Endpoint(address: .ipv4(IPv4Address("192.0.2.7")!), port: 1026)])
    }

    @Test(arguments: [
        (FileTransfer.Mode.active, "PORT 198,51,100,1,4,1\r\n"),
        (.extendedActive, "EPRT |1|198.51.100.1|1025|\r\n"),
    ])
    func `active: the client announces where it listens, and the server connects`(
        _ mode: FileTransfer.Mode, _ command: String
    ) {
        var played = Played(FileTransfer(mode: mode, bytes: 10))
        played.logIn()
        #expect(played.time(5) == command)
        #expect(played.reply("200 fine", at: 6) == "")
        #expect(played.time(6) == "RETR 10\r\n")
        played.step(.dataAccepted, at: 7)
        _ = played.reply("226 done", at: 8)
        #expect(played.reading.received == 0)
        played.file(10, at: 9)
        #expect(played.reading.received == 1 && played.reading.sent == 1)
    }

    @Test func `another address may be announced`() {
        let other = IPAddress.ipv4(IPv4Address("203.0.113.5")!)
        var played = Played(FileTransfer(mode: .active, bytes: 10, announced: other))
        played.logIn()
        #expect(played.time(5) == "PORT 203,0,113,5,4,1\r\n")
    }

    @Test func `what the server refuses, and what it announces wrongly, ends the flow`() {
        var refused = Played(FileTransfer())
        refused.step(.control(.connected), at: 1)
        _ = refused.reply("530 no", at: 2)
        #expect(refused.ending == FlowEnding(outcome: .refused, reason: "the server said: 530 no"))
        // A server that never stops does not keep the client from its other flows.
        var flooded = Played(FileTransfer())
        flooded.step(.control(.connected), at: 1)
        flooded.transport.incoming = (0..<200).map { _ in Array(String(repeating: "220 x\r\n", count: 20).utf8) }
        flooded.step(.control(.readable), at: 2)
        #expect(flooded.ending == FlowEnding(outcome: .refused, reason: "the server sent 1000 replies at once"))
        var unreadable = Played(FileTransfer())
        unreadable.logIn()
        _ = unreadable.time(5)
        _ = unreadable.reply("227 somewhere", at: 6)
        #expect(unreadable.ending?.reason == "the server's announcement cannot be read")
    }

    @Test func `a data connection that fails, and a file that is too short, end the flow`() {
        var failed = Played(FileTransfer())
        failed.logIn()
        failed.step(.dataFailed(FlowEnding(outcome: .refused, reason: "data connection: refused")), at: 6)
        #expect(failed.ending?.reason == "data connection: refused")
        var short = Played(FileTransfer(mode: .active, bytes: 10))
        short.logIn()
        _ = short.time(5)
        _ = short.reply("200 fine", at: 6)
        _ = short.time(6)
        short.step(.dataAccepted, at: 7)
        short.file(9, at: 8)
        #expect(short.ending?.reason == "the data connection was closed after 9 of 10 bytes")
        var closed = Played(FileTransfer())
        closed.logIn()
        closed.transport.ending = .endOfStream
        closed.step(.control(.readable), at: 6)
        #expect(closed.ending == .closedByPeer)
    }

    @Test func `bytes that the file does not have are counted`() {
        var played = Played(FileTransfer(mode: .active, bytes: 4))
        played.logIn()
        _ = played.time(5)
        _ = played.reply("200 fine", at: 6)
        _ = played.time(6)
        played.transport.data = [[0, 1, 9, 3]]
        played.step(.dataReadable, at: 7)
        #expect(played.model.figures(at: playedTime(7), .survived).garbage == 1)
    }

    @Test func `each phase times out with what it waited for`() {
        var connecting = Played(FileTransfer())
        _ = connecting.time(100)
        #expect(connecting.ending?.reason == "no connection for 0.1 seconds, the application's patience")
        var loggingIn = Played(FileTransfer())
        loggingIn.step(.control(.connected), at: 1)
        _ = loggingIn.time(99)
        #expect(loggingIn.ending == nil)
        _ = loggingIn.time(100)
        #expect(loggingIn.ending?.reason == "no reply to the login for 0.1 seconds, the application's patience")
        var agreeing = Played(FileTransfer())
        agreeing.logIn()
        _ = agreeing.time(5)
        _ = agreeing.time(105)
        #expect(agreeing.ending?.reason == "no reply to the announcement for 0.1 seconds, the application's patience")
        var opening = Played(FileTransfer())
        opening.logIn()
        _ = opening.time(5)
        _ = opening.reply("227 (192,0,2,7,4,1)", at: 6)
        _ = opening.time(6)
        _ = opening.time(105)
        #expect(opening.ending?.reason == "no data connection for 0.1 seconds, the application's patience")
        var transferring = Played(FileTransfer(bytes: 10))
        transferring.logIn()
        _ = transferring.time(5)
        _ = transferring.reply("227 (192,0,2,7,4,1)", at: 6)
        _ = transferring.time(6)
        transferring.step(.dataConnected, at: 7)
        transferring.file(5, at: 8, ends: false)
        _ = transferring.time(105)
        #expect(transferring.ending?.reason == "no end of the file for 0.1 seconds, the application's patience")
    }

    @Test func `finishing waits for the transfer that runs, and makes one where none was`() {
        var idle = Played(FileTransfer(mode: .active, bytes: 4), offset: .milliseconds(40))
        idle.logIn()
        #expect(idle.model.deadline == playedTime(45))
        idle.step(.control(.finish), at: 10)
        #expect(idle.time(10).hasPrefix("PORT"))
        _ = idle.reply("200 fine", at: 11)
        _ = idle.time(11)
        idle.step(.dataAccepted, at: 12)
        idle.file(4, at: 13)
        #expect(idle.ending == nil)
        _ = idle.reply("226 done", at: 14)
        #expect(idle.ending == .survived && idle.reading.sent == 1)
        var between = Played(FileTransfer(mode: .active, bytes: 4))
        between.logIn()
        _ = between.time(5)
        _ = between.reply("200 fine", at: 6)
        _ = between.time(6)
        between.step(.dataAccepted, at: 7)
        between.file(4, at: 8)
        _ = between.reply("226 done", at: 9)
        between.step(.control(.finish), at: 20)
        #expect(between.ending == nil)
        _ = between.time(20)
        #expect(between.ending == .survived)
    }
}
