/// Fields of the wire: big-endian, at any alignment, without a bounds check.
///
/// Every caller stands behind one length guard and names it.
extension UnsafeRawPointer {
    @inlinable public func readUInt8(at offset: Int) -> UInt8 { load(fromByteOffset: offset, as: UInt8.self) }

    @inlinable public func readUInt16(at offset: Int) -> UInt16 {
        UInt16(bigEndian: loadUnaligned(fromByteOffset: offset, as: UInt16.self))
    }

    @inlinable public func readUInt32(at offset: Int) -> UInt32 {
        UInt32(bigEndian: loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }

    @inlinable public func readUInt64(at offset: Int) -> UInt64 {
        UInt64(bigEndian: loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    @inlinable public func readMAC(at offset: Int) -> MACAddress {
        MACAddress(packed: UInt64(readUInt32(at: offset)) << 16 | UInt64(readUInt16(at: offset &+ 4)))
    }

    @inlinable public func readIPv4(at offset: Int) -> IPv4Address { IPv4Address(rawValue: readUInt32(at: offset)) }

    @inlinable public func readIPv6(at offset: Int) -> IPv6Address {
        IPv6Address(high: readUInt64(at: offset), low: readUInt64(at: offset &+ 8))
    }
}

extension UnsafeMutableRawPointer {
    @inlinable public func write(_ value: UInt8, at offset: Int) {
        storeBytes(of: value, toByteOffset: offset, as: UInt8.self)
    }

    @inlinable public func write(_ value: UInt16, at offset: Int) {
        storeBytes(of: value.bigEndian, toByteOffset: offset, as: UInt16.self)
    }

    @inlinable public func write(_ value: UInt32, at offset: Int) {
        storeBytes(of: value.bigEndian, toByteOffset: offset, as: UInt32.self)
    }

    @inlinable public func write(_ value: UInt64, at offset: Int) {
        storeBytes(of: value.bigEndian, toByteOffset: offset, as: UInt64.self)
    }

    @inlinable public func write(_ value: MACAddress, at offset: Int) {
        write(UInt32(truncatingIfNeeded: value.packed >> 16), at: offset)
        write(UInt16(truncatingIfNeeded: value.packed), at: offset &+ 4)
    }

    @inlinable public func write(_ value: IPv4Address, at offset: Int) { write(value.rawValue, at: offset) }

    @inlinable public func write(_ value: IPv6Address, at offset: Int) {
        write(value.high, at: offset)
        write(value.low, at: offset &+ 8)
    }
}
