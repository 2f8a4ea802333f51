public import Wire

/// What a packet leaves as. Everything in it is worked out before the packet is touched, so that an ICMP error about it
/// can still quote it as it came.
public struct PacketTranslation<Family: AddressFamily>: Sendable {
    /// Addresses and ports. An ICMP error has no ports of its own.
    public var flow: FlowKey<Family>
    /// For an ICMP error: the packet that it is about, as the receiver of the error sent it.
    public var quoted: FlowKey<Family>?
    /// For a fragment: the identification that all of its datagram leave with.
    public var identification: Family.Identification?

    @inlinable
    public init(_ flow: FlowKey<Family>, quoted: FlowKey<Family>? = nil, identification: Family.Identification? = nil) {
        self.flow = flow
        self.quoted = quoted
        self.identification = identification
    }

    @inlinable
    public func apply(to packet: inout IPPacketView<Family>) {
        if let identification { Family.rewriteIdentification(packet, to: identification) }
        if let quoted { packet.rewriteQuote(to: quoted) }
        packet.rewrite(to: flow)
    }
}

extension SessionEngine {
    /// How an ICMP error about a packet of a session leaves: to the sender of that packet, quoting what it sent, and in
    /// the name of the address that it knows.
    ///
    /// An error from the translated side that is not from the session's own end (a router in between) comes from the
    /// end's external address too: the other side has no route to the inside. Source: RFC 5508, REQ-4, REQ-5 and REQ-7
    /// - Returns: nil where the error's checksum or its quoted header's is wrong, or it quotes too little (REQ-3)
    @inlinable
    package func translation(ofError packet: IPPacketView<Family>, about index: FlowIndex) -> PacketTranslation<Family>?
    {
        guard let quoted = packet.quoted, packet.isTransportChecksumValid,
            !Family.hasHeaderChecksum
                || Checksum.isValid(UnsafeRawBufferPointer(rebasing: packet.payload.prefix(quoted.transportOffset)))
        else { return nil }
        let left = quoted.fiveTuple
        // Its answer is a flow of the session as it arrives; the other way round it is how the packet came.
        let came = outgoing(of: index, arrivedAs: left.reversed).reversed
        var flow = packet.fiveTuple
        flow.destination = came.source
        if left.destination != came.destination { flow.source = came.destination }
        return PacketTranslation(flow, quoted: came)
    }
}
