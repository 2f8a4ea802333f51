import PacketText
import Wire

extension PacketText {
    /// The frame of a packet's text, with the TTL and payload where it has none; a text that is wrong is the test's
    /// mistake.
    func bytes(
        _ packet: String, payload: [UInt8] = [], timeToLive: UInt8 = 64, from source: MACAddress = .zero,
        to destination: MACAddress = .zero
    ) -> [UInt8] {
        var text = self
        text.defaults.payload = payload
        text.defaults.timeToLive = timeToLive
        do {
            return try text.frame(packet, from: source, to: destination)
        } catch {
            preconditionFailure("'\(packet)', \(error)")
        }
    }
}

extension FiveTuple {
    /// How a packet's text begins: `tcp 192.0.2.10:4000 > 198.51.100.20:80`
    var text: String { "\(`protocol`) \(source):\(sourcePort) > \(destination):\(destinationPort)" }
}
