import CLinux
import EventLoop
import Glibc
import Testing

@testable import HostSide

@Suite struct `A socket that is told of edges` {
    private func pair() -> (EdgeSocket, Int32) {
        var pair: [Int32] = [-1, -1]
        let isMade = cl_socket_pair(&pair) == 0
        #expect(isMade)
        for descriptor in pair { _ = fcntl(descriptor, F_SETFL, O_NONBLOCK) }
        return (EdgeSocket(pair[0]), pair[1])
    }

    private func send(_ text: String, _ peer: Int32) {
        let written = write(peer, text, text.utf8.count)
        #expect(written == text.utf8.count)
    }

    /// What a read of up to a hundred bytes brings, in words.
    private func read(_ socket: inout EdgeSocket) -> String {
        var memory = [UInt8](repeating: 0, count: 100)
        return memory.withUnsafeMutableBytes { memory in
            switch socket.read(into: memory) {
            case .bytes(let count): String(decoding: memory[..<count], as: UTF8.self)
            case .nothing: "nothing"
            case .end: "end"
            case .failed(let code): "failed with \(code)"
            }
        }
    }

    @Test func `is read without a call that finds nothing`() {
        var (socket, peer) = pair()
        send("abc", peer)
        #expect(!socket.isReadable)
        socket.note(.readable)
        var read = read(&socket)
        #expect(read == "abc" && !socket.isReadable && !socket.endIsNext)
        // Its end comes with the last bytes, in one event.
        send("de", peer)
        shutdown(peer, Int32(SHUT_WR))
        socket.note([.readable, .peerEnd])
        read = self.read(&socket)
        #expect(read == "de" && socket.isReadable && socket.endIsNext)
        read = self.read(&socket)
        #expect(read == "end" && !socket.isReadable)
        socket.close()
        close(peer)
    }

    @Test func `that was told of a failure asks for it, however few bytes came before`() {
        var (socket, peer) = pair()
        send("abc", peer)
        socket.note([.readable, .peerEnd, .error, .hangUp])
        var read = read(&socket)
        #expect(read == "abc" && socket.isReadable && !socket.endIsNext && socket.isBroken)
        read = self.read(&socket)
        #expect(read == "nothing" && !socket.isReadable)
        socket.close()
        close(peer)
    }

    @Test func `keeps what the kernel does not take, and goes on with it in order`() {
        var (socket, peer) = pair()
        let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
        bytes.withUnsafeBytes { bytes in
            socket.send(UnsafeRawBufferPointer(rebasing: bytes[..<1_000_000]))
            #expect(socket.hasWaiting)
            socket.send(
                UnsafeRawBufferPointer(rebasing: bytes[1_000_000..<1_000_010]),
                UnsafeRawBufferPointer(rebasing: bytes[1_000_010..<2_999_000]),
                UnsafeRawBufferPointer(rebasing: bytes[2_999_000...]))
        }
        var received: [UInt8] = []
        var memory = [UInt8](repeating: 0, count: 100_000)
        while received.count < bytes.count {
            let count = Glibc.read(peer, &memory, memory.count)
            guard count > 0 else {
                Issue.record("\(received.count) bytes came")
                break
            }
            received += memory[..<count]
            _ = socket.sendWaiting()
        }
        #expect(received == bytes && !socket.hasWaiting)
        socket.close()
        close(peer)
    }

    @Test func `three pieces leave in order, however many of them the kernel takes`() {
        var (socket, peer) = pair()
        let texts = ["head ", String(repeating: "x", count: 20_000), " end"].map { Array($0.utf8) }
        texts[0].withUnsafeBytes { a in
            texts[1].withUnsafeBytes { b in texts[2].withUnsafeBytes { c in socket.send(a, b, c) } }
        }
        var memory = [UInt8](repeating: 0, count: 100_000)
        let count = Glibc.read(peer, &memory, memory.count)
        #expect(Array(memory[..<max(0, count)]) == texts.flatMap { $0 })
        socket.close()
        close(peer)
    }

    @Test func `says why nothing can be sent any more, and sends nothing`() {
        var (socket, peer) = pair()
        close(peer)
        let text = Array("abc".utf8)
        text.withUnsafeBytes { socket.send($0) }
        #expect(socket.failure == EPIPE && !socket.hasWaiting && socket.isReadable)
        text.withUnsafeBytes { socket.send($0, $0, $0) }
        #expect(!socket.hasWaiting)
        socket.close()
        #expect(!socket.isOpen)
    }
}
