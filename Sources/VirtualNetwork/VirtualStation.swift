public import LabTime

/// What a virtual network delivers frames to: a box, or a host.
public protocol VirtualStation: AnyObject {
    var name: String { get }

    /// A frame has reached a port.
    func receive(_ bytes: [UInt8], on port: Int)

    /// The next instant at which `advance` has something to do.
    var deadline: Instant? { get }

    /// Does what is due now.
    func advance()
}

/// What one end of a cable is plugged into, by its number in the network, with the port.
enum VirtualPort {
    case station(Int, port: Int)
    case hub(Int, port: Int)
}
