extension FlowKey where Family == IPv4 {
    /// The flow of an Ethernet frame with TCP or UDP over IPv4 without options, as its bytes say it, unchecked: to
    /// fetch a session's memory before the frame is judged, and for nothing else. nil for every other frame.
    @inlinable
    public init?(glancingAt frame: UnsafeRawBufferPointer) {
        // Guard: 38 bytes, up to and with the destination port.
        guard frame.count >= 38, let base = frame.baseAddress, base.readUInt16(at: 12) == 0x0800,
            base.load(fromByteOffset: 14, as: UInt8.self) == 0x45
        else { return nil }
        let proto = base.load(fromByteOffset: 23, as: UInt8.self)
        guard proto == IPProtocol.udp.rawValue || proto == IPProtocol.tcp.rawValue else { return nil }
        self.init(
            addresses: UInt64(base.readUInt32(at: 26)) << 32 | UInt64(base.readUInt32(at: 30)),
            portsAndProtocol: UInt64(proto) << 32 | UInt64(base.readUInt32(at: 34)))
    }
}
