/// What a session carries, as far as its first payload tells.
///
/// The numbers cross to the peer in `MetadataRecord` and must stay.
public enum Application: UInt8, CaseIterable, Hashable, Sendable, BitwiseCopyable {
    /// Nothing was said yet.
    case unseen = 0
    /// The first payload is none of the others.
    case other = 1
    case http = 2
    case tls = 3
    case dns = 4
    case ssh = 5

    /// As in counters and reports.
    public var name: String {
        switch self {
        case .unseen: "unseen"
        case .other: "other"
        case .http: "http"
        case .tls: "tls"
        case .dns: "dns"
        case .ssh: "ssh"
        }
    }
}
