internal import Glibc
internal import LabTime
internal import Wire

/// Writes a JSON object, whose keys need no escape, into memory that is large enough for it.
struct JSONLine {
    /// Bytes that a field may take beside its text: key, quotes, colon, comma, and a number of any kind.
    static let fieldBytes = 64

    private let base: UnsafeMutablePointer<UInt8>
    private(set) var count = 0

    /// - Precondition: `memory` has `fieldBytes` for each field and six bytes for each of their texts' bytes
    init(_ memory: UnsafeMutableRawBufferPointer) {
        base = memory.baseAddress!.assumingMemoryBound(to: UInt8.self)
        put("{")
    }

    mutating func add(_ key: StaticString, text: String) {
        begin(key)
        put("\"")
        var text = text
        text.withUTF8 { bytes in
            for byte in bytes where byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                return escape(bytes)
            }
            put(bytes.baseAddress, bytes.count)
        }
        put("\"")
    }

    mutating func add(_ key: StaticString, number: some FixedWidthInteger) {
        begin(key)
        put(Int(number))
    }

    /// To the microsecond.
    mutating func add(_ key: StaticString, seconds: Double) {
        begin(key)
        let micro = Int((seconds * 1e6).rounded())
        put(micro / 1_000_000)
        put(".")
        put(micro % 1_000_000, digits: 6)
    }

    mutating func add(_ key: StaticString, address: IPAddress) {
        guard case .ipv4(let address) = address else { return add(key, text: address.description) }
        begin(key)
        put("\"")
        for shift: UInt32 in [24, 16, 8, 0] {
            put(Int(address.rawValue >> shift & 0xff))
            if shift > 0 { put(".") }
        }
        put("\"")
    }

    /// - Parameter second: `time` without its fraction, as in `2026-11-21T08:30:00`
    mutating func add(_ key: StaticString, time: Timestamp, second: [UInt8]) {
        begin(key)
        put("\"")
        second.withUnsafeBufferPointer { put($0.baseAddress, $0.count) }
        put(".")
        put(Int(time.nanoseconds % 1_000_000_000), digits: 9)
        put("Z\"")
    }

    mutating func end() { put("}") }

    private mutating func begin(_ key: StaticString) {
        put(count == 1 ? "\"" : ",\"")
        put(key)
        put("\":")
    }

    private mutating func escape(_ bytes: UnsafeBufferPointer<UInt8>) {
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\""): put("\\\"")
            case UInt8(ascii: "\\"): put("\\\\")
            case ..<0x20:
                put("\\u00")
                put(byte < 16 ? "0" : "1")
                base[count] = (byte & 15) < 10 ? UInt8(ascii: "0") + (byte & 15) : UInt8(ascii: "a") + (byte & 15) - 10
                count += 1
            default:
                base[count] = byte
                count += 1
            }
        }
    }

    private mutating func put(_ text: StaticString) { put(text.utf8Start, text.utf8CodeUnitCount) }

    private mutating func put(_ start: UnsafePointer<UInt8>?, _ length: Int) {
        guard let start, length > 0 else { return }
        memcpy(base + count, start, length)
        count += length
    }

    private mutating func put(_ number: Int) {
        var digits = 1
        var bound = 10
        while digits < 19, number >= bound {
            digits += 1
            bound = digits < 19 ? bound * 10 : bound
        }
        put(max(0, number), digits: digits)
    }

    private mutating func put(_ number: Int, digits: Int) {
        var rest = number
        var place = digits - 1
        while place >= 0 {
            base[count + place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
            place -= 1
        }
        count += digits
    }
}
