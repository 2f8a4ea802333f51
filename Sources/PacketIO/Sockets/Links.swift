internal import CLinux
internal import Dataplane
internal import Glibc

/// The interfaces of a box's ports by kernel index, both ways. A link's number is 2 × port + side.
struct Links: ~Copyable {
    /// Interface index of each link; 0 where a port has no host side.
    private let interfaces: UnsafeMutablePointer<Int32>
    let count: Int
    private var lastFound = 0

    /// Looks the interfaces up in the network namespace of the calling thread.
    init(_ ports: [PortInterfaces]) throws(PacketSocketError) {
        guard !ports.isEmpty, ports.count <= 128 else { throw .portCount(ports.count) }
        var found: [Int32] = []
        for port in ports {
            found.append(try Self.index(of: port.wire))
            let host: Int32 = if let name = port.host { try Self.index(of: name) } else { 0 }
            found.append(host)
        }
        count = found.count
        interfaces = .allocate(capacity: count)
        interfaces.initialize(from: found, count: count)
    }

    deinit { interfaces.deallocate() }

    private static func index(of name: String) throws(PacketSocketError) -> Int32 {
        let index = if_nametoindex(name)
        guard index != 0 else { throw .noInterface(name) }
        return Int32(bitPattern: index)
    }

    /// The link that an interface belongs to; nil for an interface that is no port's. O(1) while frames come from one
    /// interface, else O(ports).
    mutating func link(ofInterface interface: Int32) -> Int? {
        if interfaces[lastFound] == interface { return lastFound }
        for link in 0..<count where interfaces[link] == interface {
            lastFound = link
            return link
        }
        return nil
    }

    /// Interface index of a frame's way out; nil where there is none.
    func interface(port: PortIndex, side: PortSide) -> Int32? {
        let link = Int(port) &* 2 &+ Int(side.rawValue)
        guard link < count, interfaces[link] != 0 else { return nil }
        return interfaces[link]
    }
}
