import Testing
import Wire

@Suite struct `VRRP advertisements` {
    static let source = IPv4Address(192, 0, 2, 2)
    static let virtual = IPv4Address(192, 0, 2, 1)
    static let messageOnly = hex("31 07 c8 01 00 0a 44 eb c0 00 02 01")
    static let pseudoHeader = hex("31 07 c8 01 00 0a a2 59 c0 00 02 01")
    static let version2 = hex("21 07 c8 01 00 01 54 f4 c0 00 02 01 00 00 00 00 00 00 00 00")
    static let forIPv6 = hex("31 07 c8 01 00 64 09 f1 fe 80 00 00 00 00 00 00 00 00 00 00 00 00 00 01")
    static let source6 = IPv6Address(0xfe80, 0, 0, 0, 0, 0, 0, 2)
    static let virtual6 = IPv6Address(0xfe80, 0, 0, 0, 0, 0, 0, 1)
    static let header = VRRPHeader(version: .v3, id: 7, priority: 200, centiseconds: 10)

    struct Seen: Equatable {
        var header: VRRPHeader
        var checksum: VRRPChecksum
        var addresses: [IPv4Address]
    }

    static func parse(_ bytes: some Collection<UInt8>) throws -> Seen {
        try withGuarded(bytes) {
            let view = try VRRPView($0, source: source, destination: .vrrpRouters)
            var addresses: [IPv4Address] = []
            for index in 0..<view.addressCount { addresses.append(view.ipv4Address(at: index)) }
            return Seen(header: VRRPHeader(view), checksum: view.checksum, addresses: addresses)
        }
    }

    static func parse6(_ bytes: some Collection<UInt8>) throws -> (VRRPHeader, IPv6Address) {
        try withGuarded(bytes) {
            let view = try VRRPView($0, source: source6, destination: .vrrpRouters)
            return (VRRPHeader(view), view.ipv6Address(at: 0))
        }
    }

    static func emit(
        _ header: VRRPHeader, _ checksum: VRRPChecksum = .pseudoHeader, size: Int = 200, count: Int = 1
    ) -> [UInt8]? {
        dirty(size) {
            header.emit(
                into: $0, addresses: [IPv4Address](repeating: virtual, count: count), checksum: checksum, source: source
            )
        }
    }

    @Test func `both checksums of version 3 are accepted and told apart`() throws {
        #expect(
            try Self.parse(Self.messageOnly)
                == Seen(header: Self.header, checksum: .messageOnly, addresses: [Self.virtual]))
        #expect(
            try Self.parse(Self.pseudoHeader)
                == Seen(header: Self.header, checksum: .pseudoHeader, addresses: [Self.virtual]))
    }

    @Test func `version 2 parses with its interval in seconds`() throws {
        let seen = try Self.parse(Self.version2)
        #expect(seen.header == VRRPHeader(version: .v2, id: 7, priority: 200, centiseconds: 100))
        #expect(seen.header.advertisementInterval == .seconds(1) && seen.addresses == [Self.virtual])
    }

    @Test func `IPv6 parses`() throws {
        let (header, address) = try Self.parse6(Self.forIPv6)
        #expect(header == VRRPHeader(version: .v3, id: 7, priority: 200, centiseconds: 100) && address == Self.virtual6)
    }

    @Test func `every form fills a dirty buffer`() {
        #expect(Self.emit(Self.header, .messageOnly) == Self.messageOnly)
        #expect(Self.emit(Self.header, .pseudoHeader) == Self.pseudoHeader)
        #expect(Self.emit(VRRPHeader(version: .v2, id: 7, priority: 200, centiseconds: 100)) == Self.version2)
        #expect(
            dirty {
                VRRPHeader(version: .v3, id: 7, priority: 200, centiseconds: 100).emit(
                    into: $0, addresses: [Self.virtual6], source: Self.source6)
            } == Self.forIPv6)
    }

    @Test func `several addresses and the longest interval survive a round trip`() throws {
        let header = VRRPHeader(version: .v3, id: 255, priority: 0, centiseconds: 4095)
        let bytes = try #require(Self.emit(header, count: 40))
        let seen = try Self.parse(bytes)
        #expect(seen.header == header && seen.addresses.count == 40)
        #expect(seen.header.advertisementInterval == .milliseconds(40950))
    }

    @Test func `a truncated advertisement is refused at every length`() {
        for bytes in [Self.messageOnly, Self.version2] {
            for length in 0..<bytes.count {
                let error = #expect(throws: WireError.self) { try Self.parse(bytes.prefix(length)) }
                #expect(error?.reason == (length < 8 ? .truncated : .wrongLength))
            }
        }
        for length in 0..<Self.forIPv6.count {
            #expect(throws: WireError.self) { _ = try Self.parse6(Self.forIPv6.prefix(length)) }
        }
    }

    static let wrong: [(Int, UInt8, WireError.Reason)] = [
        (0, 0x41, .wrongVersion), (0, 0x32, .unknownKind), (1, 0, .forbiddenValue), (3, 0, .forbiddenValue),
        (3, 2, .wrongLength), (5, 0, .forbiddenValue), (6, 0, .wrongChecksum), (2, 201, .wrongChecksum),
    ]

    @Test(arguments: wrong)
    func `a wrong field is refused with its reason`(_ offset: Int, _ value: UInt8, _ reason: WireError.Reason) {
        let error = #expect(throws: WireError.self) { try Self.parse(Self.messageOnly.replacing(offset, with: value)) }
        #expect(error?.reason == reason)
    }

    @Test func `a checksum with another sender's pseudo-header is wrong`() {
        #expect(throws: WireError.self) {
            try withGuarded(Self.pseudoHeader) {
                _ = try VRRPView($0, source: IPv4Address(192, 0, 2, 3), destination: .vrrpRouters)
            }
        }
    }

    @Test func `version 2 with authentication, and over IPv6, is refused`() {
        #expect(throws: WireError(.vrrp, .forbiddenValue, found: 1)) {
            try Self.parse(Self.version2.replacing(4, with: 1))
        }
        let error = #expect(throws: WireError.self) { _ = try Self.parse6(Self.version2 + Self.version2) }
        #expect(error?.reason == .wrongVersion)
    }

    @Test func `an interval is representable or refused`() {
        #expect(VRRPHeader.centiseconds(.milliseconds(100), version: .v3) == 10)
        #expect(VRRPHeader.centiseconds(.milliseconds(40950), version: .v3) == 4095)
        #expect(VRRPHeader.centiseconds(.seconds(255), version: .v2) == 25500)
        for (interval, version) in [
            (Duration.zero, VRRPHeader.Version.v3), (.milliseconds(5), .v3), (.milliseconds(40960), .v3),
            (.milliseconds(-10), .v3), (.milliseconds(100), .v2), (.seconds(256), .v2), (.seconds(Int64.max / 2), .v3),
        ] { #expect(VRRPHeader.centiseconds(interval, version: version) == nil, "\(interval)") }
    }

    @Test func `what cannot be said is not written`() {
        #expect(Self.emit(Self.header, size: 11) == nil)
        #expect(Self.emit(Self.header, size: 2000, count: 256) == nil)
        #expect(Self.emit(Self.header, count: 0) == nil)
        #expect(Self.emit(VRRPHeader(version: .v3, id: 0, priority: 1, centiseconds: 10)) == nil)
        #expect(Self.emit(VRRPHeader(version: .v3, id: 1, priority: 1, centiseconds: 4096)) == nil)
        #expect(Self.emit(VRRPHeader(version: .v2, id: 1, priority: 1, centiseconds: 10)) == nil)
        #expect(
            dirty {
                VRRPHeader(version: .v2, id: 1, priority: 1, centiseconds: 100).emit(
                    into: $0, addresses: [Self.virtual6], source: Self.source6)
            } == nil)
    }
}
