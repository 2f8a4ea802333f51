public import Dataplane

/// A frame that enters or leaves a box of a virtual network: where, and its bytes.
public struct BoxFrame: Hashable, Sendable {
    public var bytes: [UInt8]
    public var port: PortIndex
    public var side: PortSide

    public init(_ bytes: [UInt8], port: PortIndex, side: PortSide = .wire) {
        self.bytes = bytes
        self.port = port
        self.side = side
    }
}
