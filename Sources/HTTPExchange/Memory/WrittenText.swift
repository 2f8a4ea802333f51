/// Text written into memory that is large enough for it: one check for the whole instead of one a piece.
@usableFromInline
package struct WrittenText {
    @usableFromInline let base: UnsafeMutablePointer<UInt8>
    @usableFromInline let capacity: Int
    @usableFromInline package var count = 0

    @inlinable package init(_ memory: UnsafeMutableRawBufferPointer) {
        base = memory.baseAddress!.assumingMemoryBound(to: UInt8.self)
        capacity = memory.count
    }

    @inlinable package mutating func put(_ text: StaticString) { put(text.utf8Start, text.utf8CodeUnitCount) }

    @inlinable package mutating func put(_ bytes: UnsafeRawBufferPointer) { put(bytes.baseAddress, bytes.count) }

    @inlinable package mutating func put(text: String) {
        var text = text
        text.withUTF8 { put(UnsafeRawBufferPointer($0)) }
    }

    @inlinable package mutating func put(_ byte: UInt8) {
        precondition(count < capacity)
        base[count] = byte
        count += 1
    }

    /// Decimal; nothing below zero.
    @inlinable package mutating func put(_ number: Int) {
        var digits = 1
        var bound = 10
        while digits < 19, number >= bound {
            digits += 1
            bound = digits < 19 ? bound * 10 : bound
        }
        put(max(0, number), digits: digits)
    }

    @inlinable package mutating func put(_ number: Int, digits: Int) {
        precondition(digits <= capacity - count)
        var rest = number
        var place = digits - 1
        while place >= 0 {
            base[count + place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
            place -= 1
        }
        count += digits
    }

    /// Hexadecimal in lower case; nothing below zero.
    @inlinable package mutating func put(hexadecimal number: Int) {
        var shift = (63 - max(1, number).leadingZeroBitCount) / 4 * 4
        while shift >= 0 {
            let digit = UInt8(truncatingIfNeeded: number >> shift & 15)
            put(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
            shift -= 4
        }
    }

    @inlinable mutating func put(_ start: UnsafeRawPointer?, _ length: Int) {
        guard let start, length > 0 else { return }
        precondition(length <= capacity - count)
        UnsafeMutableRawPointer(base + count).copyMemory(from: start, byteCount: length)
        count += length
    }
}
