internal import Wire

/// A switch or hub of a virtual network. Frames pass it at once: delays are those of its cables.
public final class VirtualSwitch {
    public let name: String
    /// Whether unicast frames leave only by the port that their destination was last seen at; otherwise everybody
    /// receives everything.
    public var learns = false
    /// Without it nothing passes.
    public var isUp = true
    /// Pairs of ports that do not reach each other.
    private var separated: Set<[Int]> = []
    private var learned: [MACAddress: Int] = [:]
    /// The cable at each port.
    public internal(set) var cables: [VirtualCable] = []
    /// The station at the far end of each cable.
    var stations: [any VirtualStation] = []

    let number: Int

    init(_ name: String, number: Int) {
        self.name = name
        self.number = number
    }

    /// Whether two stations reach each other through it; everybody does at first.
    public func setSeparated(_ a: any VirtualStation, _ b: any VirtualStation, _ isSeparated: Bool) {
        guard let first = stations.firstIndex(where: { $0 === a }),
            let second = stations.firstIndex(where: { $0 === b })
        else { return }
        let pair = [min(first, second), max(first, second)]
        if isSeparated { separated.insert(pair) } else { separated.remove(pair) }
    }

    /// Ports by which a frame leaves that came in by another.
    func destinations(of bytes: [UInt8], from port: Int) -> [Int] {
        guard isUp, bytes.count >= 12 else { return [] }
        // Guard: 12 bytes.
        let (destination, source) = bytes.withUnsafeBytes {
            ($0.baseAddress!.readMAC(at: 0), $0.baseAddress!.readMAC(at: 6))
        }
        var ports = cables.indices.filter { $0 != port }
        if learns {
            learned[source] = port
            if !destination.isMulticast, let known = learned[destination] { ports = known == port ? [] : [known] }
        }
        return separated.isEmpty ? ports : ports.filter { !separated.contains([min($0, port), max($0, port)]) }
    }

    /// The cable of a station; nil where none leads to it.
    public func cable(of station: any VirtualStation) -> VirtualCable? {
        stations.firstIndex { $0 === station }.map { cables[$0] }
    }
}
