/// The beginning of an HTTP/1 message, as far as the segment that it begins in holds it.
///
/// Read leniently, because this is evidence: lines may end with LF alone, and fields after a cut are not there.
/// Source: RFC 9112, 3 and 4
struct HTTPReading: Hashable, Sendable {
    var status: Int?
    var method: String?
    var uri: String?
    /// Of a request: the value of the field Host.
    var host: String?

    /// nil where no HTTP/1 message begins here.
    init?(_ bytes: ArraySlice<UInt8>) {
        // Both forms begin with a capital letter in every message of use; most payloads are distinguished by this
        // alone.
        guard let first = bytes.first, first >= UInt8(ascii: "A"), first <= UInt8(ascii: "Z") else { return nil }
        var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).makeIterator()
        guard let start = lines.next() else { return nil }
        let words = start.split(separator: UInt8(ascii: " "), maxSplits: 2).map { Self.text($0) }
        guard words.count >= 2 else { return nil }
        if words[0].hasPrefix("HTTP/1.") {
            guard words[1].utf8.count == 3, let status = Int(words[1]), (100...599).contains(status) else { return nil }
            self.status = status
            return
        }
        guard words.count == 3, words[2].hasPrefix("HTTP/1.") else { return nil }
        (method, uri) = (words[0], words[1])
        while let line = lines.next() {
            let text = Self.text(line)
            if text.isEmpty { break }
            guard text.utf8.count > 5, text.prefix(5).lowercased() == "host:" else { continue }
            host = String(text.dropFirst(5)).trimmingSpaces
            break
        }
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String {
        let line = bytes.last == UInt8(ascii: "\r") ? bytes.dropLast() : bytes
        return String(decoding: line, as: UTF8.self)
    }
}
