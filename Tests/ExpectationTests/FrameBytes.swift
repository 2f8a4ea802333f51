import Wire

/// Frames made by hand, byte by byte: what reads evidence is tested against the RFCs, not against the emitters.
enum FrameBytes {
    static func ethernet(
        to destination: MACAddress, from source: MACAddress, type: UInt16 = 0x0800, _ payload: [UInt8]
    ) -> [UInt8] {
        mac(destination) + mac(source) + big(type) + payload
    }

    static func ipv4(
        from source: String, to destination: String, proto: UInt8, ttl: UInt8 = 64, id: UInt16 = 1,
        dontFragment: Bool = true, fragmentOffset: UInt16 = 0, _ payload: [UInt8]
    ) -> [UInt8] {
        let length = UInt16(20 + payload.count)
        let flags: UInt16 = (dontFragment ? 0x4000 : 0) | fragmentOffset
        return [0x45, 0] + big(length) + big(id) + big(flags) + [ttl, proto, 0, 0]
            + address(source) + address(destination) + payload
    }

    static func tcp(
        _ source: UInt16, _ destination: UInt16, sequence: UInt32 = 1000, acknowledgment: UInt32 = 2000,
        flags: UInt8 = 0x10, payload: Int = 0
    ) -> [UInt8] {
        big(source) + big(destination) + big(sequence) + big(acknowledgment)
            + [0x50, flags, 0x20, 0, 0, 0, 0, 0] + [UInt8](repeating: 0x61, count: payload)
    }

    static func udp(_ source: UInt16, _ destination: UInt16, payload: Int = 0) -> [UInt8] {
        big(source) + big(destination) + big(UInt16(8 + payload)) + [0, 0] + [UInt8](repeating: 0x61, count: payload)
    }

    static func icmp(type: UInt8, code: UInt8, _ payload: [UInt8] = []) -> [UInt8] {
        [type, code, 0, 0, 0, 0, 0, 0] + payload
    }

    static func arp(
        _ operation: UInt16, sender: MACAddress, _ senderAddress: String, target: MACAddress, _ targetAddress: String
    ) -> [UInt8] {
        [0, 1, 0x08, 0, 6, 4] + big(operation) + mac(sender) + address(senderAddress) + mac(target)
            + address(targetAddress)
    }

    static func mac(_ value: MACAddress) -> [UInt8] {
        stride(from: 40, through: 0, by: -8).map { UInt8(truncatingIfNeeded: value.packed >> UInt64($0)) }
    }

    static func address(_ text: String) -> [UInt8] { text.split(separator: ".").map { UInt8($0)! } }

    static func big(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 0xff)] }

    static func big(_ value: UInt32) -> [UInt8] { big(UInt16(value >> 16)) + big(UInt16(value & 0xffff)) }
}
