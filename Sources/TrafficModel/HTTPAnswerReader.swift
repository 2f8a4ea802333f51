/// Reads as much of an HTTP answer as a probe needs: its status, the balancer's reason, and where it ends.
package struct HTTPAnswerReader: Hashable, Sendable {
    /// Bytes of a head after which a probe gives up on it.
    package static let longestHead = 65_536

    package private(set) var status: Int?
    /// What the field X-Balancer-Reason says.
    package private(set) var reason: String?
    /// It is no HTTP, or its head has no end.
    package private(set) var isGarbage = false
    private var head: [UInt8] = []
    /// Bytes of the body still to come; nil where the connection's end is the body's.
    private var left: Int?
    private var chunks: ChunkedBody?
    /// Whether the server keeps the connection. Source: RFC 9112, 9.3
    private var isKept = true
    /// Bytes that came after the answer.
    private var excess = 0

    /// Whether nothing more has to come.
    package var isComplete: Bool { status != nil && (chunks?.isComplete ?? (left == 0)) }

    /// Whether a further request may follow on its connection.
    package var leavesConnectionUsable: Bool { isComplete && isKept && excess == 0 }

    package init() {}

    package mutating func consume(_ bytes: UnsafeRawBufferPointer) {
        var rest = bytes[...]
        while status == nil, !isGarbage, let byte = rest.popFirst() {
            head.append(byte)
            if byte == 10, head.suffix(4).elementsEqual([13, 10, 13, 10]) { readHead() }
            if head.count > Self.longestHead { isGarbage = true }
        }
        if var chunks {
            excess += rest.count - chunks.consume(rest)
            self.chunks = chunks
            if chunks.isGarbage { isGarbage = true }
        } else if let left {
            excess += max(0, rest.count - left)
            self.left = max(0, left - rest.count)
        }
    }

    private mutating func readHead() {
        let lines = String(decoding: head, as: UTF8.self).split(whereSeparator: \.isNewline)
        head = []
        let words = lines.first?.split(separator: " ") ?? []
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]), (100...599).contains(status)
        else {
            isGarbage = true
            return
        }
        // An interim answer is followed by the answer.
        guard status >= 200 else { return }
        self.status = status
        isKept = words[0] == "HTTP/1.1"
        if status == 204 || status == 304 { left = 0 }
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            var value = parts[1].drop { $0 == " " }
            while value.last == " " { value.removeLast() }
            switch parts[0].lowercased() {
            case "content-length":
                // Digits alone. Source: RFC 9110, 8.6
                guard let length = Int(value), value.first?.isNumber == true else {
                    isGarbage = true
                    return
                }
                left = length
            case "x-balancer-reason": reason = String(value)
            case "connection": if value.lowercased().contains("close") { isKept = false }
            // Its length is that of the chunks, whatever else is given. Source: RFC 9112, 6.3
            case "transfer-encoding": if value.lowercased().hasSuffix("chunked") { chunks = ChunkedBody() }
            default: break
            }
        }
    }
}
