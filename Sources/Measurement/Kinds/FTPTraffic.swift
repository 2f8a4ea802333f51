internal import Wire

/// Long-lived FTP control connections; a file over a data connection of its own at a fixed cadence on each.
public struct FTPTraffic: TrafficKind {
    public static let name = "ftp"
    public static let summary = "FTP control connections; a file at each interval, see [below](#kind-ftp)"
    public static let keys =
        [
            TrafficKey(
                "mode", usual: "`passive`",
                "`passive` (PASV), `extended-passive` (EPSV), `active` (PORT), `extended-active` (EPRT); over IPv6 only the extended modes"
            ),
            TrafficKey("data-after", usual: "0 s", "delay between the announcement and the data connection"),
            TrafficKey("bytes", usual: "65536", "length of each file"),
            TrafficKey(
                "announce", usual: "the client's own",
                "another address to announce in an active mode, as in a bounce attack"),
        ] + TCPSocketOptions.keys
    public static let example =
        #"{ from: client, to: "server:21", kind: ftp, mode: active, data-after: 5ms, bytes: 1000, announce: 192.0.2.9, keepalive: { idle: 1s }, user-timeout: 1s }"#
    public static let server: ServerProgram.Kind? = .ftp
    public static let opensFlowForEachProbe = false
    public static let needsServerItself: String? = "a balancer does not read what FTP announces"

    public var transfer: FileTransfer
    /// Of the control connection.
    public var tcp: TCPSocketOptions?

    public init(_ transfer: FileTransfer, tcp: TCPSocketOptions? = nil) {
        self.transfer = transfer
        self.tcp = tcp
    }

    public init() { self.init(FileTransfer()) }

    public static func read(_ written: some WrittenTraffic, of program: WrittenProgram) -> Self {
        var transfer = FileTransfer()
        transfer.mode = written.choice("mode", as: FileTransfer.Mode.self) ?? transfer.mode
        transfer.dataAfter = written.duration("data-after", in: .zero...(.seconds(3600))) ?? transfer.dataAfter
        transfer.bytes = written.integer("bytes", in: 1...FileTransfer.mostBytes) ?? transfer.bytes
        if let text = written.text("announce") {
            transfer.announced = IPAddress(text)
            if !transfer.mode.isActive {
                written.report(
                    "mode \(transfer.mode.rawValue) announces nothing to the server", atKey: "announce",
                    allowed: FileTransfer.Mode.allCases.filter(\.isActive).map(\.rawValue))
            } else if transfer.announced == nil {
                written.report(
                    "'announce' is \(written.found("announce"))", atKey: "announce", allowed: [IPv4Address.textForm])
            }
        }
        return Self(transfer, tcp: TCPSocketOptions.read(written))
    }

    public mutating func accept(_ target: TrafficTarget, _ written: some WrittenTraffic) -> Bool {
        if target.address.family == .ipv6, !transfer.mode.isExtended {
            written.report(
                "mode \(transfer.mode.rawValue) supports only IPv4, but the target is \(target.endpoint)",
                atValueOf: "mode", allowed: FileTransfer.Mode.allCases.filter(\.isExtended).map(\.rawValue))
            return false
        }
        if let announced = transfer.announced, announced.family != target.address.family {
            written.report(
                "'announce' is \(announced), but the target is \(target.endpoint)", atValueOf: "announce",
                allowed: ["an address of the same family"])
            return false
        }
        return true
    }

    public var trace: AnswerTrace { .payload(showsStatus: false) }
    public var numbers: [(name: String, value: Int)] { [("transfer", transfer.bytes)] }
    public var times: [(name: String, value: Duration)] { [("dataAfter", transfer.dataAfter)] + (tcp?.times ?? []) }
}

extension TrafficProgram.Kind {
    public static let ftp = Self(FTPTraffic.self)
}
