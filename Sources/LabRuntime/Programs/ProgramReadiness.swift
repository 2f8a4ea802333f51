internal import Configuration
internal import CLinux
internal import Glibc
internal import Topology
internal import Wire

extension ProgramConfiguration.Readiness {
    /// Asks the kernel, in the calling process's namespaces.
    /// - Parameters:
    ///   - routes: those of the node's kernel
    ///   - hasPrinted: whether a line of the program's output matched
    func isMet(_ routes: () -> [RouteConfiguration], _ hasPrinted: (String) -> Bool) -> Bool {
        switch self {
        // State 0A is LISTEN: from then on the kernel completes handshakes.
        case .tcp(let port): Self.sockets("tcp").contains { $0.port == port && $0.state == "0A" }
        case .udp(let port): Self.sockets("udp").contains { $0.port == port }
        case .socket(let path): Self.accepts(path)
        case .route(let network, let nextHops): routes().count { $0.destination == .ipv4(network) } >= nextHops
        case .output(let pattern): hasPrinted(pattern)
        }
    }

    var words: String {
        switch self {
        case .tcp(let port): "nothing listens on TCP port \(port)"
        case .udp(let port): "nothing listens on UDP port \(port)"
        case .socket(let path): "\(path) accepts no connection"
        case .route(let network, let nextHops):
            "there is no route to \(network)" + (nextHops > 1 ? " with \(nextHops) next hops" : "")
        case .output(let pattern): "no line of its output matches '\(pattern)'"
        }
    }

    /// `sl local_address rem_address st …` of /proc/net, IPv4 and IPv6
    private static func sockets(_ kind: String) -> [(port: UInt16, state: Substring)] {
        [kind, kind + "6"].compactMap { KernelFile.contents("/proc/self/net/\($0)") }.flatMap { text in
            text.split(separator: "\n").dropFirst().compactMap { line -> (UInt16, Substring)? in
                let words = line.split(separator: " ")
                guard words.count > 3, let colon = words[1].lastIndex(of: ":"),
                    let port = UInt16(words[1][words[1].index(after: colon)...], radix: 16)
                else { return nil }
                return (port, words[3])
            }
        }
    }

    private static func accepts(_ path: String) -> Bool {
        // No link is followed, but this one is every system's.
        let descriptor = cl_connect_path(path.hasPrefix("/var/run/") ? String(path.dropFirst(4)) : path)
        guard descriptor >= 0 else { return false }
        close(descriptor)
        return true
    }
}
