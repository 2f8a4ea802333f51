/// Puts the lines of a control connection together, in bounded memory.
package struct ControlLines: Hashable, Sendable {
    /// Longest line that is kept. Source: RFC 959 names none
    package static let longest = 1024

    private var bytes: [UInt8] = []
    private var isTooLong = false

    /// Takes what has come, and hands over each line that is complete, without its end.
    package init() {}

    package mutating func consume(_ more: UnsafeRawBufferPointer, _ take: (String) -> Void) {
        for byte in more {
            guard byte == 0x0a else {
                if bytes.count < Self.longest { bytes.append(byte) } else { isTooLong = true }
                continue
            }
            if bytes.last == 0x0d { bytes.removeLast() }
            let line = String(decoding: bytes, as: UTF8.self)
            bytes.removeAll(keepingCapacity: true)
            if !isTooLong { take(line) }
            isTooLong = false
        }
    }
}

/// A whole reply of a server: three digits and a text. Source: RFC 959, 4.2
package struct FTPReply: Hashable, Sendable {
    package var code: Int
    package var text: String

    /// - Returns: nil for a line that is not the last of its reply
    package init?(_ line: String) {
        let digits = line.prefix(3)
        guard digits.utf8.count == 3, let code = Int(digits), (100...599).contains(code),
            line.dropFirst(3).first.map({ $0 == " " }) ?? true
        else { return nil }
        self.code = code
        text = String(line.dropFirst(4))
    }
}
