import Glibc
import NIOCore
import NIOPosix

/// A listener that accepts nothing and whose queue is full, so that the kernel drops every further SYN.
struct DeafListener {
    let port: UInt16
    private let descriptor: Int32
    private let fillers: [Int32]

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        let listener = descriptor
        // struct sockaddr_in of 127.0.0.1 with any port, ip(7).
        var bytes = [UInt8](repeating: 0, count: 16)
        bytes[0] = UInt8(AF_INET)
        bytes[4...7] = [127, 0, 0, 1]
        var length = socklen_t(16)
        let isListening = bytes.withUnsafeMutableBytes { raw in
            let address = raw.baseAddress!.assumingMemoryBound(to: sockaddr.self)
            return bind(listener, address, length) == 0 && listen(listener, 0) == 0
                && getsockname(listener, address, &length) == 0
        }
        guard isListening else { throw IOError(errnoCode: errno, reason: "listen") }
        port = UInt16(bytes[2]) << 8 | UInt16(bytes[3])
        // A backlog of 0 holds one connection; a few more are on their way for ever.
        fillers = (0..<4).map { _ in
            let filler = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
            bytes.withUnsafeBytes { raw in
                _ = Glibc.connect(filler, raw.baseAddress!.assumingMemoryBound(to: sockaddr.self), 16)
            }
            return filler
        }
    }

    func close() {
        for filler in fillers { Glibc.close(filler) }
        Glibc.close(descriptor)
    }
}
