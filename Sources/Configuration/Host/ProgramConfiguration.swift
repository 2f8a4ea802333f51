public import Wire

/// A third-party program in a node's namespaces (of a box, those of its host side): nginx, BIRD, anything.
public struct ProgramConfiguration: Hashable, Sendable, Codable {
    /// A file that is written into the program's folder before it starts.
    public struct File: Hashable, Sendable, Codable {
        public var name: String
        /// References are replaced; `folderWord` is not yet.
        public var text: String
        /// Also written into `/run/<program>`, where the node's other programs find it.
        public var isShared: Bool

        public init(name: String, text: String, isShared: Bool = false) {
            self.name = name
            self.text = text
            self.isShared = isShared
        }
    }

    /// How it is known that the program does its work.
    public enum Readiness: Hashable, Sendable, Codable {
        /// A socket of the node listens on the TCP port.
        case tcp(UInt16)
        /// A socket of the node is bound to the UDP port.
        case udp(UInt16)
        /// A Unix socket accepts connections.
        case socket(path: String)
        /// The node's kernel has a route to the network, by at least so many ways.
        case route(IPv4Network, ways: Int)
        /// A line of its output matches the regular expression.
        case output(pattern: String)
    }

    /// Lines of the program's output that are events.
    public struct OutputEvent: Hashable, Sendable, Codable {
        /// The last part of the event's name.
        public var name: String
        /// A regular expression; its named groups become details of the event.
        public var pattern: String

        public init(name: String, pattern: String) {
            self.name = name
            self.pattern = pattern
        }
    }

    /// Stands for the absolute path of the program's folder, in its command line and its files.
    public static let folderWord = "$folder"

    public var name: String
    /// The executable's name or path first. It stays in the foreground: when it ends, the program has ended.
    public var command: [String]
    public var files: [File]
    /// All of them; with none, a program is ready when it runs.
    public var readiness: [Readiness]
    /// The Debian package that has the executable, where it is known.
    public var package: String?
    /// Folders of the host that the program sees empty and may write to, besides those of every program.
    public var scratch: [String]
    public var events: [OutputEvent]
    public var counters: [CounterCommand] = []
    /// It does its work and ends, with code 0; only then does the node start its other programs.
    public var endsByItself = false
    /// Further executables that it starts, by their paths.
    public var executables: [String] = []
    /// Calls that change its user, group or capabilities report success and change nothing, also where root runs the
    /// lab: it asks for capabilities that no program of a lab has.
    public var keepsUser: Bool

    public init(
        name: String, command: [String], files: [File] = [], readiness: [Readiness] = [], package: String? = nil,
        scratch: [String] = [], events: [OutputEvent] = []
    ) {
        self.name = name
        self.command = command
        self.files = files
        self.readiness = readiness
        self.events = events
        self.package = package ?? KnownProgram(executable: command.first ?? "")?.package
        self.scratch = scratch + (KnownProgram(executable: command.first ?? "")?.scratch ?? [])
        keepsUser = KnownProgram(executable: command.first ?? "")?.package == "frr"
    }
}

extension ProgramConfiguration {
    /// The Debian package that has an executable, where it is known.
    public static func package(of executable: String) -> String? { KnownProgram(executable: executable)?.package }
}

/// Programs whose packages, and whose habits of writing below `/var/lib`, are known.
struct KnownProgram {
    var package: String
    var scratch: [String] = []

    init?(executable: String) {
        switch executable.split(separator: "/").last {
        case "nginx": self.init("nginx-light", ["/var/lib/nginx"])
        case "bird", "birdc": self.init("bird2")
        case "haproxy": self.init("haproxy", ["/var/lib/haproxy"])
        case "keepalived": self.init("keepalived")
        case "conntrackd": self.init("conntrackd")
        case "conntrack": self.init("conntrack")
        case "nft": self.init("nftables")
        case "iptables", "iptables-nft", "ip6tables", "ip6tables-nft": self.init("iptables")
        case "ipvsadm": self.init("ipvsadm")
        case "python3": self.init("python3")
        case "dnsmasq": self.init("dnsmasq-base", ["/var/lib/misc"])
        case "frr", "zebra", "bgpd", "bfdd", "vrrpd", "staticd", "ospfd", "ospf6d", "isisd", "ripd", "pbrd":
            self.init("frr", ["/etc/frr"])
        case "socat": self.init("socat")
        case "iperf3": self.init("iperf3")
        case "iperf": self.init("iperf")
        case "curl": self.init("curl")
        case "wget": self.init("wget")
        case "dig", "nslookup", "delv": self.init("bind9-dnsutils")
        case "host": self.init("bind9-host")
        case "drill": self.init("ldnsutils")
        case "kdig": self.init("knot-dnsutils")
        case "dnsperf": self.init("dnsperf")
        case "wrk": self.init("wrk")
        case "ab": self.init("apache2-utils")
        case "h2load": self.init("nghttp2-client")
        case "openssl": self.init("openssl")
        case "nc": self.init("netcat-openbsd")
        case "ncat": self.init("ncat")
        case "ssh": self.init("openssh-client")
        case "sipp": self.init("sip-tester")
        default: return nil
        }
    }

    private init(_ package: String, _ scratch: [String] = []) {
        self.package = package
        self.scratch = scratch
    }
}
