/// Makes whole Ethernet frames in memory that the caller provides.
///
/// Every member writes each byte of the frame and returns the frame's length, or nil where it does not fit. Frames
/// are not padded to Ethernet's minimum: a virtual link carries short ones, a network card pads by itself.
public enum FrameBuilder {
    /// Where the payload of a UDP datagram without IP options begins in its frame.
    public static var udpPayloadOffset: Int { EthernetHeader.length + IPv4Header.minimumLength + UDPHeader.length }

    /// What begins `offset` bytes into a buffer; empty where the buffer ends before.
    static func rest(of buffer: UnsafeMutableRawBufferPointer, from offset: Int) -> UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(rebasing: buffer[min(offset, buffer.count)...])
    }

    /// Writes the two outer headers around `length` bytes that are in place behind them.
    static func wrap(
        _ packet: IPv4Header, from source: MACAddress, to destination: MACAddress, length: Int,
        into buffer: UnsafeMutableRawBufferPointer
    ) -> Int? {
        let ethernet = EthernetHeader(destination: destination, source: source, etherType: .ipv4)
        guard let link = ethernet.emit(into: buffer),
            let network = packet.emit(into: rest(of: buffer, from: link), payloadLength: length)
        else { return nil }
        return link + network + length
    }

    /// Copies `payload` to `offset`.
    static func place(
        _ payload: UnsafeRawBufferPointer, at offset: Int, in buffer: UnsafeMutableRawBufferPointer
    ) -> Bool {
        guard buffer.count >= offset + payload.count else { return false }
        rest(of: buffer, from: offset).copyMemory(from: payload)
        return true
    }
}

extension FrameBuilder {
    /// A UDP datagram with a payload that is copied; `payload` must not lie in `buffer`.
    public static func udp(
        _ ports: UDPHeader, in packet: IPv4Header, from source: MACAddress, to destination: MACAddress,
        payload: UnsafeRawBufferPointer, into buffer: UnsafeMutableRawBufferPointer
    ) -> Int? {
        guard place(payload, at: udpPayloadOffset, in: buffer) else { return nil }
        return udp(
            ports, in: packet, from: source, to: destination, payloadLength: payload.count, into: buffer)
    }

    /// A UDP datagram around a payload that is in place already, from `udpPayloadOffset`.
    public static func udp(
        _ ports: UDPHeader, in packet: IPv4Header, from source: MACAddress, to destination: MACAddress,
        payloadLength: Int, into buffer: UnsafeMutableRawBufferPointer
    ) -> Int? {
        var packet = packet
        packet.protocol = .udp
        let datagram = rest(of: buffer, from: EthernetHeader.length + IPv4Header.minimumLength)
        guard
            let header = ports.emit(
                into: datagram, payloadLength: payloadLength, source: packet.source, destination: packet.destination)
        else { return nil }
        return wrap(packet, from: source, to: destination, length: header + payloadLength, into: buffer)
    }

    /// A TCP segment with a payload that is copied; `payload` must not lie in `buffer`.
    public static func tcp(
        _ segment: TCPHeader, in packet: IPv4Header, from source: MACAddress, to destination: MACAddress,
        payload: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0),
        into buffer: UnsafeMutableRawBufferPointer
    ) -> Int? {
        var packet = packet
        packet.protocol = .tcp
        let offset = EthernetHeader.length + IPv4Header.minimumLength
        guard place(payload, at: offset + segment.length, in: buffer),
            let header = segment.emit(
                into: rest(of: buffer, from: offset), payloadLength: payload.count, source: packet.source,
                destination: packet.destination)
        else { return nil }
        return wrap(packet, from: source, to: destination, length: header + payload.count, into: buffer)
    }

    /// An ICMP message with a payload that is copied; `payload` must not lie in `buffer`.
    public static func icmp(
        _ message: ICMPv4Header, in packet: IPv4Header, from source: MACAddress, to destination: MACAddress,
        payload: UnsafeRawBufferPointer, into buffer: UnsafeMutableRawBufferPointer
    ) -> Int? {
        var packet = packet
        packet.protocol = .icmp
        let offset = EthernetHeader.length + IPv4Header.minimumLength
        guard place(payload, at: offset + ICMPv4Header.length, in: buffer),
            let header = message.emit(into: rest(of: buffer, from: offset), payloadLength: payload.count)
        else { return nil }
        return wrap(packet, from: source, to: destination, length: header + payload.count, into: buffer)
    }
}
