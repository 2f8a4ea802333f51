internal import Measurement

/// A DNS message, as far as a resolver looks at it. Source: RFC 1035, 4
struct DNSMessage: Hashable, Sendable {
    struct Question: Hashable, Sendable {
        /// As on the wire, decompressed; the root has none.
        var labels: [[UInt8]]
        var type: UInt16
        var recordClass: UInt16

        /// Names are equal whatever the case of their letters. Source: RFC 4343, 3
        func asks(for name: DNSName, _ type: DNSTraffic.RecordType) -> Bool {
            self.type == type.number && recordClass == DNSMessage.internet
                && labels.map(DNSMessage.lowercased) == name.labels.map(DNSMessage.lowercased)
        }
    }

    struct Record: Hashable, Sendable {
        var labels: [[UInt8]]
        var type: UInt16
        var recordClass: UInt16
        var timeToLive: UInt32
        var data: [UInt8]
    }

    /// Why bytes are no message.
    enum Malformation: Error, Hashable {
        /// They end before what their counts and lengths announce.
        case short
        /// A pointer that does not lead to what stands before it.
        case pointer
        /// A label of a type that is no longer in use. Source: RFC 6891, 5
        case label
        /// A name of more than 255 bytes.
        case name
        /// An address that is not 4, or 16, bytes long.
        case address
    }

    static let headerLength = 12
    /// Class IN.
    static let internet: UInt16 = 1

    var id: UInt16
    /// QR.
    var isResponse: Bool
    /// TC.
    var isTruncated: Bool
    /// RCODE.
    var responseCode: UInt8
    var questions: [Question]
    /// Of the answer section. The other sections must be well-formed, and are not kept.
    var answers: [Record]

    /// Reads a datagram. Bytes after the last record are ignored. Of a truncated message there may be less than it
    /// announces, but its questions.
    init(_ bytes: [UInt8]) throws(Malformation) {
        var reader = Reader(bytes: bytes)
        id = try reader.number()
        let flags = try reader.number()
        isResponse = flags & 0x8000 != 0
        isTruncated = flags & 0x0200 != 0
        responseCode = UInt8(flags & 0x000f)
        let questionCount = try reader.number()
        let answerCount = try reader.number()
        let others = Int(try reader.number()) + Int(try reader.number())
        questions = []
        answers = []
        for _ in 0..<questionCount {
            let labels = try reader.name()
            questions.append(Question(labels: labels, type: try reader.number(), recordClass: try reader.number()))
        }
        do {
            for _ in 0..<answerCount { answers.append(try reader.record()) }
            for _ in 0..<others { _ = try reader.record() }
        } catch {
            guard isTruncated, error == .short else { throw error }
        }
    }

    /// A standard query, recursion desired.
    static func query(_ id: UInt16, _ name: DNSName, _ type: DNSTraffic.RecordType) -> [UInt8] {
        var bytes: [UInt8] = []
        for number in [id, 0x0100, 1, 0, 0, 0] { append(number, to: &bytes) }
        for label in name.labels { bytes += [UInt8(truncatingIfNeeded: label.count)] + label }
        bytes.append(0)
        append(type.number, to: &bytes)
        append(internet, to: &bytes)
        return bytes
    }

    private static func append(_ number: UInt16, to bytes: inout [UInt8]) {
        bytes += [UInt8(number >> 8), UInt8(number & 0xff)]
    }

    fileprivate static func lowercased(_ label: [UInt8]) -> [UInt8] {
        label.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 }
    }

    /// Checks every access: the bytes are whatever came.
    private struct Reader {
        let bytes: [UInt8]
        private var offset = 0

        init(bytes: [UInt8]) { self.bytes = bytes }

        mutating func number() throws(Malformation) -> UInt16 {
            guard bytes.count - offset >= 2 else { throw .short }
            defer { offset += 2 }
            return UInt16(bytes[offset]) << 8 | UInt16(bytes[offset + 1])
        }

        mutating func record() throws(Malformation) -> Record {
            let labels = try name()
            let (type, recordClass) = (try number(), try number())
            let (high, low) = (try number(), try number())
            let length = Int(try number())
            guard bytes.count - offset >= length else { throw .short }
            let data = Array(bytes[offset..<offset + length])
            offset += length
            if recordClass == internet {
                switch type {
                case DNSTraffic.RecordType.address.number where length != 4: throw .address
                case DNSTraffic.RecordType.ipv6Address.number where length != 16: throw .address
                default: break
                }
            }
            return Record(
                labels: labels, type: type, recordClass: recordClass, timeToLive: UInt32(high) << 16 | UInt32(low),
                data: data)
        }

        /// A pointer must lead to what stands before the name's own parts, so that none is followed twice, and no name has
        /// more pointers than it can have labels.
        /// Complexity: O(length of the name)
        mutating func name() throws(Malformation) -> [[UInt8]] {
            var labels: [[UInt8]] = []
            // With the root's byte.
            var length = 1
            var (place, begin) = (offset, offset)
            var end: Int?
            var pointers = 0
            while true {
                guard place < bytes.count else { throw .short }
                let first = Int(bytes[place])
                switch first {
                case 0:
                    offset = end ?? place + 1
                    return labels
                case 1..<64:
                    guard bytes.count - place > first else { throw .short }
                    length += first + 1
                    guard length <= 255 else { throw .name }
                    labels.append(Array(bytes[place + 1...place + first]))
                    place += first + 1
                case 192...:
                    guard bytes.count - place >= 2 else { throw .short }
                    let target = (first & 0x3f) << 8 | Int(bytes[place + 1])
                    pointers += 1
                    guard target < begin, pointers <= 127 else { throw .pointer }
                    end = end ?? place + 2
                    (place, begin) = (target, target)
                default: throw .label
                }
            }
        }
    }
}
