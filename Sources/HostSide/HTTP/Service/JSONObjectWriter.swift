internal import HTTPExchange
internal import LabTime
internal import Wire

/// Writes a JSON object, whose keys need no escape, into memory that is large enough for it.
struct JSONObjectWriter {
    /// Bytes that a field may take beside its text: key, quotes, colon, comma, and a number of any kind.
    static let fieldBytes = 64

    private var out: WrittenText
    var count: Int { out.count }

    /// - Precondition: `memory` has `fieldBytes` for each field and six bytes for each of their texts' bytes
    init(_ memory: UnsafeMutableRawBufferPointer) {
        out = WrittenText(memory)
        out.put("{")
    }

    mutating func add(_ key: StaticString, text: String) {
        begin(key)
        out.put("\"")
        var text = text
        text.withUTF8 { bytes in
            for byte in bytes where byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                return escape(bytes)
            }
            out.put(UnsafeRawBufferPointer(bytes))
        }
        out.put("\"")
    }

    mutating func add(_ key: StaticString, number: some FixedWidthInteger) {
        begin(key)
        out.put(Int(number))
    }

    /// To the microsecond.
    mutating func add(_ key: StaticString, seconds: Double) {
        begin(key)
        let micro = Int((seconds * 1e6).rounded())
        out.put(micro / 1_000_000)
        out.put(".")
        out.put(micro % 1_000_000, digits: 6)
    }

    mutating func add(_ key: StaticString, address: IPAddress) {
        guard case .ipv4(let address) = address else { return add(key, text: address.description) }
        begin(key)
        out.put("\"")
        for shift: UInt32 in [24, 16, 8, 0] {
            out.put(Int(address.rawValue >> shift & 0xff))
            if shift > 0 { out.put(".") }
        }
        out.put("\"")
    }

    /// - Parameter second: `time` without its fraction, as in `2026-11-21T08:30:00`
    mutating func add(_ key: StaticString, time: Timestamp, second: [UInt8]) {
        begin(key)
        out.put("\"")
        second.withUnsafeBytes { out.put($0) }
        out.put(".")
        out.put(Int(time.nanoseconds % 1_000_000_000), digits: 9)
        out.put("Z\"")
    }

    mutating func end() { out.put("}") }

    private mutating func begin(_ key: StaticString) {
        out.put(count == 1 ? "\"" : ",\"")
        out.put(key)
        out.put("\":")
    }

    private mutating func escape(_ bytes: UnsafeBufferPointer<UInt8>) {
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\""): out.put("\\\"")
            case UInt8(ascii: "\\"): out.put("\\\\")
            case ..<0x20:
                out.put("\\u00")
                out.put(byte < 16 ? "0" : "1")
                out.put((byte & 15) < 10 ? UInt8(ascii: "0") + (byte & 15) : UInt8(ascii: "a") + (byte & 15) - 10)
            default: out.put(byte)
            }
        }
    }
}
