internal import Configuration
internal import Glibc
internal import NIOCore
internal import SystemPackage
internal import Wire

/// A proxy that cannot listen: which, where, why, and what to do.
public struct HostSideError: Error, Hashable, CustomStringConvertible {
    public var description: String

    init(_ description: String) { self.description = description }

    init(service: VirtualServiceConfiguration, cause: any Error) {
        let (reason, advice): (String, String) =
            switch (cause as? IOError)?.errnoCode ?? (cause as? Errno)?.rawValue {
            case EADDRINUSE:
                ("something else listens there already", "give each virtual service an address or port of its own")
            case EADDRNOTAVAIL:
                ("the host side does not have that address", "give the service's address to the balancer's host side")
            case EACCES: ("the node may not use ports below 1024", "take a port from 1024 up")
            case let code?: (String(cString: strerror(code)), "see the node's log")
            case nil:
                ((cause as? CertificateProblem)?.text ?? "\(cause)", "see the node's log")
            }
        description =
            "virtual service \(service.name) cannot listen on \(service.address.endpoint(port: service.port)): \(reason); \(advice)"
    }
}
