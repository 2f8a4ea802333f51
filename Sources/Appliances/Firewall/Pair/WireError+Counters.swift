public import LabEvents
public import Wire

extension WireError.Reason {
    /// In the counters `vrrp.discarded.<reason>` and `sync.discarded.<reason>`.
    public var counterWords: CounterWords { [.reason: counterWord, .meaning: meaning] }

    private var counterWord: String {
        switch self {
        case .truncated: "truncated"
        case .wrongVersion: "wrong-version"
        case .wrongHeaderLength: "wrong-header-length"
        case .wrongLength: "wrong-length"
        case .wrongChecksum: "wrong-checksum"
        case .unknownKind: "unknown-kind"
        case .forbiddenValue: "forbidden-value"
        case .wrongOption: "wrong-option"
        case .tooManyHeaders: "too-many-headers"
        case .foreign: "foreign"
        case .notAuthenticated: "not-authenticated"
        case .unexpectedAuthenticator: "unexpected-authenticator"
        case .wrongAuthenticator: "wrong-authenticator"
        case .replayed: "replayed"
        }
    }

    private var meaning: String {
        switch self {
        case .truncated: "truncated."
        case .wrongVersion: "of a version that this box does not speak."
        case .wrongHeaderLength: "with a header length that cannot be."
        case .wrongLength: "with a length that contradicts the packet."
        case .wrongChecksum: "with a wrong checksum."
        case .unknownKind: "of an unknown kind."
        case .forbiddenValue: "with a field whose value is forbidden."
        case .wrongOption: "with a wrong option."
        case .tooManyHeaders: "with too many headers."
        case .foreign: "of another protocol."
        case .notAuthenticated: "without an authenticator, where this box has a key."
        case .unexpectedAuthenticator: "with an authenticator, where this box has no key."
        case .wrongAuthenticator: "whose authenticator this box's key does not make."
        case .replayed: "of an earlier life of either box: late, or repeated by somebody."
        }
    }
}
