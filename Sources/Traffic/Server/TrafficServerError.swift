internal import Measurement
internal import NIOCore
internal import SystemPackage
internal import Wire

/// A server that cannot listen: which, where, why, and what to do.
public struct TrafficServerError: Error, Hashable, CustomStringConvertible {
    public var description: String

    init(program: ServerProgram, address: IPAddress, nodeName: String, cause: any Error) {
        let code = (cause as? Errno) ?? (cause as? IOError).map { Errno(rawValue: $0.errnoCode) }
        let (reason, advice): (String, String) =
            switch code {
            case .some(.addressInUse):
                ("something else listens there already", "give each server of the node a port of its own")
            case .some(.addressNotAvailable):
                ("the node does not have that address", "give the address to one of the node's interfaces")
            case .some(.permissionDenied):
                ("ports below 1024 need more rights than the node has", "take a port from 1024 up")
            case .some(let code): (code.description, "see the node's log")
            case nil: ("\(cause)", "see the node's log")
            }
        description =
            "\(nodeName): \(program.kind.rawValue) cannot listen on \(address.endpoint(port: program.port)): \(reason); \(advice)"
    }
}
