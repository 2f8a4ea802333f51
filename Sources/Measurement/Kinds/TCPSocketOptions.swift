/// What a client asks of its kernel for its TCP connections. Source: tcp(7), RFC 9293, 3.8.4, RFC 5482
public struct TCPSocketOptions: Hashable, Sendable, Codable {
    /// Probes of an idle connection: `TCP_KEEPIDLE`, `TCP_KEEPINTVL`, `TCP_KEEPCNT`. Linux counts whole seconds.
    public struct Keepalive: Hashable, Sendable, Codable {
        /// Of silence before the first probe.
        public var idle: Duration
        /// Between two probes without an answer.
        public var interval: Duration
        /// Probes without an answer after which the connection counts as dead.
        public var count: Int

        public init(idle: Duration, interval: Duration = .seconds(75), count: Int = 9) {
            self.idle = idle
            self.interval = interval
            self.count = count
        }
    }

    public var keepalive: Keepalive?
    /// How long bytes may stay without an acknowledgement before the connection counts as dead: `TCP_USER_TIMEOUT`.
    public var userTimeout: Duration?

    public init(keepalive: Keepalive? = nil, userTimeout: Duration? = nil) {
        self.keepalive = keepalive
        self.userTimeout = userTimeout
    }

    var times: [(name: String, value: Duration)] {
        let all = [("idle", keepalive?.idle), ("interval", keepalive?.interval), ("userTimeout", userTimeout)]
        return all.compactMap { name, value in value.map { (name, $0) } }
    }

    static let keys: [TrafficKey] = [.keepalive, .userTimeout]

    /// nil where the program writes neither.
    static func read(_ written: some WrittenTraffic) -> Self? {
        let options = Self(
            keepalive: written.has(TrafficKey.keepalive.name) ? Keepalive.read(written) : nil,
            userTimeout: written.duration(TrafficKey.userTimeout.name, in: .milliseconds(1)...(.seconds(3600))))
        return options == Self() ? nil : options
    }
}

extension TCPSocketOptions.Keepalive {
    /// The most that Linux takes: `MAX_TCP_KEEPIDLE`, `MAX_TCP_KEEPINTVL` and `MAX_TCP_KEEPCNT` of net/tcp.h
    private static let seconds: ClosedRange<Duration> = .seconds(1)...(.seconds(32_767))
    private static let counts = 1...127

    /// `{ idle: 1s, interval: 1s, count: 3 }`
    fileprivate static func read(_ written: some WrittenTraffic) -> Self? {
        guard let mapping = written.mapping(TrafficKey.keepalive.name, keys: ["idle", "interval", "count"]) else {
            return nil
        }
        func seconds(_ key: String) -> Duration? {
            guard let duration = mapping.duration(key, in: Self.seconds) else { return nil }
            guard duration.components.attoseconds == 0 else {
                mapping.report(
                    "'\(key)' of 'keepalive' is \(mapping.found(key))", atValueOf: key,
                    allowed: ["whole seconds, as Linux counts them"])
                return nil
            }
            return duration
        }
        guard mapping.has("idle") else {
            written.report("'keepalive' needs the key 'idle'", atKey: TrafficKey.keepalive.name, allowed: [])
            return nil
        }
        guard let idle = seconds("idle") else { return nil }
        var keepalive = Self(idle: idle)
        keepalive.interval = seconds("interval") ?? keepalive.interval
        keepalive.count = mapping.integer("count", in: Self.counts) ?? keepalive.count
        return keepalive
    }
}

extension TrafficKey {
    static let keepalive = TrafficKey(
        "keepalive", usual: "off",
        "`{ idle: 1s, interval: 1s, count: 3 }`: TCP keepalive, see [below](#clients-that-look-after-their-connections)"
    )
    static let userTimeout = TrafficKey(
        "user-timeout", usual: "off",
        "`TCP_USER_TIMEOUT`: how long bytes may stay without an acknowledgement before the connection is given up")
}
