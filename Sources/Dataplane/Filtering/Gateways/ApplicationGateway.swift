/// A protocol whose payload a firewall reads, because it announces further connections.
public enum ApplicationGateway: String, CaseIterable, Hashable, Sendable, Codable {
    /// Control connections to TCP port 21: PORT, PASV (RFC 959), EPRT, EPSV (RFC 2428).
    case ftp
}
