/// What a VRRP advertisement says, without its addresses.
@frozen
public struct VRRPHeader: Hashable, Sendable {
    @frozen
    public enum Version: UInt8, Sendable {
        case v2 = 2
        case v3 = 3
    }

    /// Bytes before the addresses.
    public static var fixedLength: Int { 8 }
    /// Bytes of authentication data behind the addresses of version 2; zero since RFC 3768.
    static var version2Trailer: Int { 8 }
    /// What sender and receiver require of the IP header. Source: RFC 9568, 5.1.1.3
    public static var timeToLive: UInt8 { 255 }
    /// The priority by which an Active announces that it stops. Source: RFC 9568, 5.2.4
    public static var stopping: UInt8 { 0 }
    /// The priority of the addresses' owner.
    public static var owner: UInt8 { 255 }

    public var version: Version
    /// VRID, 1 … 255
    public var id: UInt8
    public var priority: UInt8
    /// Interval in hundredths of a second: 1 … 4095 in version 3; 100, 200, … 25500 in version 2.
    public var centiseconds: UInt16

    public init(version: Version, id: UInt8, priority: UInt8, centiseconds: UInt16) {
        self.version = version
        self.id = id
        self.priority = priority
        self.centiseconds = centiseconds
    }

    public init(_ view: borrowing VRRPView) {
        self.init(version: view.version, id: view.id, priority: view.priority, centiseconds: view.centiseconds)
    }

    public var advertisementInterval: Duration { .milliseconds(Int64(centiseconds) * 10) }

    /// The field's value for an interval; nil where the version cannot say it: 10 ms … 40.95 s in steps of 10 ms for
    /// version 3, 1 s … 255 s in whole seconds for version 2.
    public static func centiseconds(_ interval: Duration, version: Version) -> UInt16? {
        let (seconds, attoseconds) = interval.components
        let attosecondsInCentisecond: Int64 = 10_000_000_000_000_000
        guard seconds >= 0, seconds <= 255, attoseconds >= 0, attoseconds % attosecondsInCentisecond == 0 else {
            return nil
        }
        let value = UInt16(seconds * 100 + attoseconds / attosecondsInCentisecond)
        return isValid(value, version: version) ? value : nil
    }

    static func isValid(_ centiseconds: UInt16, version: Version) -> Bool {
        switch version {
        case .v2: centiseconds % 100 == 0 && (100...25500).contains(centiseconds)
        case .v3: (1...4095).contains(centiseconds)
        }
    }

    /// - Returns: the bytes written; nil where they do not fit, or where VRID, interval or the number of addresses
    ///   (1 … 255) is out of range. Version 2 has no pseudo-header, whatever `checksum` says.
    public func emit(
        into buffer: UnsafeMutableRawBufferPointer, addresses: some Collection<IPv4Address>, checksum: VRRPChecksum,
        source: IPv4Address, destination: IPv4Address = .vrrpRouters
    ) -> Int? {
        let trailer = version == .v2 ? Self.version2Trailer : 0
        let length = Self.fixedLength + addresses.count * 4 + trailer
        guard let base = begin(buffer, length: length, count: addresses.count) else { return nil }
        var offset = Self.fixedLength
        for address in addresses {
            base.write(address, at: offset)
            offset += 4
        }
        if version == .v2 { base.write(UInt64(0), at: offset) }
        var sum = Checksum()
        if version == .v3, checksum == .pseudoHeader {
            sum.addPseudoHeader(source: source, destination: destination, protocol: .vrrp, length: length)
        }
        sum.add(UnsafeRawPointer(base), count: length)
        base.write(sum.value, at: 6)
        return length
    }

    /// - Returns: the bytes written; nil as for IPv4, and for version 2, which does not know IPv6
    public func emit(
        into buffer: UnsafeMutableRawBufferPointer, addresses: some Collection<IPv6Address>, source: IPv6Address,
        destination: IPv6Address = .vrrpRouters
    ) -> Int? {
        let length = Self.fixedLength + addresses.count * 16
        guard version == .v3, let base = begin(buffer, length: length, count: addresses.count) else { return nil }
        var offset = Self.fixedLength
        for address in addresses {
            base.write(address, at: offset)
            offset += 16
        }
        var sum = Checksum()
        sum.addPseudoHeader(source: source, destination: destination, protocol: .vrrp, length: length)
        sum.add(UnsafeRawPointer(base), count: length)
        base.write(sum.value, at: 6)
        return length
    }

    /// Writes the fixed part with a checksum of zero.
    private func begin(
        _ buffer: UnsafeMutableRawBufferPointer, length: Int, count: Int
    ) -> UnsafeMutableRawPointer? {
        guard let base = buffer.baseAddress, buffer.count >= length, id != 0, (1...255).contains(count),
            Self.isValid(centiseconds, version: version)
        else { return nil }
        base.write(version.rawValue << 4 | 1, at: 0)
        base.write(id, at: 1)
        base.write(priority, at: 2)
        base.write(UInt8(count), at: 3)
        base.write(version == .v3 ? centiseconds : centiseconds / 100, at: 4)
        base.write(UInt16(0), at: 6)
        return base
    }
}
