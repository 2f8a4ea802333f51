internal import Wire

/// The kinds of traffic. What runs one is a line of `FlowOpening` in `Traffic`.
public enum TrafficKinds {
    /// One line a kind.
    public static let table: [any TrafficKind.Type] = [
        TCPStreamTraffic.self,
        UDPTraffic.self,
        UDPRequestTraffic.self,
        TCPConnectTraffic.self,
        HTTPRequestTraffic.self,
        FTPTraffic.self,
        ManyFlowTraffic.self,
        PingTraffic.self,
        CommandTraffic.self,
        DNSTraffic.self,
    ]

    /// Each key once, with the names of the kinds that have it.
    public static let keys: [(key: TrafficKey, kinds: [String])] = {
        var keys: [(key: TrafficKey, kinds: [String])] = []
        for type in table {
            for key in type.keys {
                if let known = keys.firstIndex(where: { $0.key.name == key.name }) {
                    keys[known].kinds.append(type.name)
                } else {
                    keys.append((key, [type.name]))
                }
            }
        }
        return keys
    }()
}

extension TrafficProgram {
    /// A line of the table.
    public struct Kind: Sendable {
        public let type: any TrafficKind.Type

        public init(_ type: any TrafficKind.Type) { self.type = type }

        public var opensFlowForEachProbe: Bool { type.opensFlowForEachProbe }
        public var server: ServerProgram.Kind? { type.server }
        public var isTCP: Bool { type.transport == .tcp }
        public var hasPorts: Bool { type.hasPort }
        /// Whether only a program of the lab can answer it, as with `dns`.
        public var needsProgram: Bool { server == nil && type.transport != nil }
    }
}

extension TrafficProgram.Kind: RawRepresentable, Hashable, Codable {
    public init?(rawValue: String) {
        guard let type = TrafficKinds.table.first(where: { $0.name == rawValue }) else { return nil }
        self.init(type)
    }

    public var rawValue: String { type.name }
}

extension TrafficProgram.Kind: CaseIterable {
    /// By the server that answers, and of each those with long-lived flows first: so messages list them.
    public static let allCases: [Self] = {
        let kinds = TrafficKinds.table.map { Self($0) }
        return (ServerProgram.Kind.allCases + [nil]).flatMap { server in
            let own = kinds.filter { $0.server == server }
            return own.filter { !$0.opensFlowForEachProbe } + own.filter(\.opensFlowForEachProbe)
        }
    }()
}
