/// One request as the kernel reads it, made by the verbs of the extensions and sent by `NetlinkSocket.perform`.
///
/// ```
///  0        4     6     8         12        16
///  ┌────────┬─────┬─────┬─────────┬─────────┬──────────────┬────────────
///  │ length │type │flags│ sequence│ port    │ family header│ attributes …
///  └────────┴─────┴─────┴─────────┴─────────┴──────────────┴────────────
/// ```
/// Fields are in host byte order. The sequence number is the socket's and zero until then.
public struct NetlinkRequest: Sendable {
    /// What a person reads in an error: `add address 192.0.2.1/24`.
    public let verb: String
    public let interface: String?
    /// The whole message, padded to four bytes.
    public internal(set) var bytes: [UInt8]
    /// Where the index of an interface belongs that was given by name; the socket looks it up.
    var unresolved: [(name: String, offset: Int)] = []
    /// Whether a name may mean another interface after this request than before.
    var changesNames = false
    /// What makes the request impossible to put, for an error message.
    var problem: String?

    static let sequenceOffset = 8
}
