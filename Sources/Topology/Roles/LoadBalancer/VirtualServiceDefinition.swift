import Configuration
import LabFile
import LabTime
import Wire

/// A virtual service of a load balancer as written.
struct VirtualServiceDefinition {
    struct Member {
        /// `backend-1:8080`
        var endpoint: EndpointText
        var weight: Int
        var position: SourcePosition
    }

    var name: Located<String>
    var address: Located<IPAddress>
    var port: UInt16
    var profile: ServiceProfile
    var members: [Member]
    var scheduler: Scheduler
    var sourceTranslation: SourceTranslation
    var monitor: Located<MonitorConfiguration>?
    var idleTimeout: Duration
    var directReturn: Located<DirectReturnConfiguration>?
    /// The pool's name where it is one of the balancer's `pools`.
    var poolName: Located<String>?
    /// For the profile `http` alone.
    var http: HTTPServiceDefinition?

    /// - Parameter pools: the balancer's named pools
    init?(_ entry: LabEntry, pools: LabValue? = nil, timers: Timers, _ reader: LabReader) {
        guard NameRule.word.check(entry.key, "a virtual service", at: entry.keyPosition, reader),
            let mapping = MappingReader(entry.value, "a virtual service", keys: VirtualServiceDefinition.keys, reader)
        else { return nil }
        name = Located(value: entry.key, position: entry.keyPosition)
        directReturn = mapping["dsr"].flatMap { Self.directReturn($0, reader) }
        scheduler = mapping.choice("scheduler") ?? (directReturn == nil ? .roundRobin : .consistentHash)
        sourceTranslation = mapping.choice("snat") ?? (directReturn == nil ? .autoMap : .off)
        var pool = mapping.required("pool")
        if let name = pool?.text, let named = pools?[name] {
            poolName = pool.map { Located(value: name, position: $0.position) }
            pool = named
        }
        members = pool.map { Self.members($0, reader) } ?? []
        monitor = mapping["monitor"].flatMap { Self.monitor($0, timers: timers, reader) }
        let profileValue = mapping.required("profile")
        let profile: ServiceProfile? = mapping.choice("profile")
        let idle = mapping.duration("idle-timeout", in: .milliseconds(1)...(.seconds(86_400)))
        guard let listen = mapping.required("listen") else { return nil }
        guard let text = listen.text, let endpoint = EndpointText(text), let address = IPAddress(endpoint.host),
            let port = endpoint.port
        else {
            reader.report(
                "'listen' of virtual service '\(entry.key)' is \(listen.found)", at: listen.position,
                allowed: [
                    "address:port or address:port/protocol, such as 198.51.100.100:80/tcp or [2001:db8::100]:80/tcp"
                ])
            return nil
        }
        guard let profile, let profileValue else { return nil }
        if let transport = endpoint.transport, transport != profile.transport {
            reader.report(
                "profile '\(profile.rawValue)' carries \(profile.transport), but '\(entry.key)' listens on \(text)",
                at: profileValue.position,
                allowed: ServiceProfile.allCases.filter { $0.transport == transport }.map(\.rawValue))
            return nil
        }
        self.address = Located(value: address, position: listen.position)
        self.port = port
        self.profile = profile
        idleTimeout = idle ?? timers.idleTimeout(profile)
        if sourceTranslation == .hairpin, profile != .tcpFastPath, profile != .udpFastPath {
            reader.report(
                "'snat' is hairpin, which knows flows; '\(entry.key)' has the profile '\(profile.rawValue)'",
                at: mapping.keyPosition("snat"),
                allowed: [ServiceProfile.tcpFastPath.rawValue, ServiceProfile.udpFastPath.rawValue])
        }
        checkApplicationProfile(mapping, reader)
        checkDirectReturn(mapping, reader)
        if profile == .http {
            http = HTTPServiceDefinition(mapping, timers: timers, reader)
            if sourceTranslation == .off {
                reader.report(
                    "'snat' is off, but profile 'http' asks members from addresses of the balancer",
                    at: mapping.keyPosition("snat"), allowed: [SourceTranslation.autoMap.rawValue, "'snat-pool'"])
            }
        } else if let key = HTTPServiceDefinition.keysOfService.first(where: { mapping[$0] != nil }) {
            reader.report(
                "'\(key)' belongs to the profile http; '\(entry.key)' has '\(profile.rawValue)'",
                at: mapping.keyPosition(key))
        }
    }

    private static func members(_ value: LabValue, _ reader: LabReader) -> [Member] {
        let elements = reader.list(value)
        if elements.isEmpty { reader.report("a pool needs at least one member", at: value.position) }
        return elements.compactMap { element in
            var target = element
            var weight = 1
            if element.entries != nil {
                guard
                    let mapping = MappingReader(
                        element, "a pool member", keys: VirtualServiceDefinition.memberKeys, reader),
                    let member = mapping.required("member")
                else { return nil }
                weight = mapping.integer("weight", in: 1...100) ?? 1
                target = member
            }
            guard let text = target.text, let endpoint = EndpointText(text), endpoint.transport == nil else {
                reader.report(
                    "a pool member is \(target.found)", at: target.position,
                    allowed: ["node:port, such as backend-1:8080", "{ member: backend-1:8080, weight: 2 }"])
                return nil
            }
            return Member(endpoint: endpoint, weight: weight, position: target.position)
        }
    }

    /// `monitor: tcp`, or a mapping with what differs from the defaults.
    private static func monitor(_ value: LabValue, timers: Timers, _ reader: LabReader) -> Located<
        MonitorConfiguration
    >? {
        if value.text != nil {
            return reader.choice(value, of: "a monitor", as: MonitorConfiguration.Kind.self)
                .map { Located(value: timers.monitor($0), position: value.position) }
        }
        guard let mapping = MappingReader(value, "a monitor", keys: VirtualServiceDefinition.monitorKeys, reader),
            mapping.required("kind") != nil, let kind: MonitorConfiguration.Kind = mapping.choice("kind")
        else { return nil }
        var monitor = timers.monitor(kind)
        if let port = mapping.integer("port", in: 1...65_535) { monitor.port = UInt16(port) }
        if let path = mapping.text("path") {
            if kind == .tcp {
                reader.report("'path' belongs to an http monitor; this one is tcp", at: mapping.keyPosition("path"))
            } else if !path.hasPrefix("/") || path.contains(where: \.isWhitespace) {
                reader.report(
                    "'path' of a monitor is '\(LabValue.shortened(path))'", at: mapping.keyPosition("path"),
                    allowed: ["a path that begins with '/', without blanks"])
            }
            monitor.path = path
        }
        if let target = mapping["asks"].flatMap({ _ in mapping.choice("asks", as: MonitorConfiguration.Target.self) }) {
            monitor.target = target
        }
        monitor.interval = mapping.duration("every", in: .milliseconds(1)...(.seconds(3600))) ?? monitor.interval
        monitor.timeout = mapping.duration("timeout", in: .milliseconds(1)...(.seconds(3600))) ?? monitor.timeout
        monitor.fall = mapping.integer("fall", in: 1...100) ?? monitor.fall
        monitor.rise = mapping.integer("rise", in: 1...100) ?? monitor.rise
        return Located(value: monitor, position: value.position)
    }
}

/// In the order in which messages list them.
extension VirtualServiceDefinition {
    static let keys =
        [
            "listen", "profile", "application-profile", "pool", "scheduler", "snat", "dsr", "monitor", "idle-timeout",
        ]
        + HTTPServiceDefinition.keysOfService
    static let memberKeys = ["member", "weight"]
    static let monitorKeys = ["kind", "asks", "port", "path", "every", "timeout", "fall", "rise"]
}
