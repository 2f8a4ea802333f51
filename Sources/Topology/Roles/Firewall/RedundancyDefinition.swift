import Configuration
import LabFile
import LabTime
import Wire

/// `redundancy:` of one firewall as written; what it leaves out, its peer may say.
struct RedundancyDefinition {
    struct VirtualAddresses {
        var interface: Located<String>
        var addresses: [Located<IPv4Address>]
    }

    var position: SourcePosition
    var peer: Located<String>?
    var priority: Located<Int>?
    var preemption: Located<Preemption>?
    var usesVirtualMAC: Located<Bool>?
    var advertisementInterval: Located<Duration>?
    var heartbeatInterval: Located<Duration>?
    var heartbeatMisses: Located<Int>?
    var startupSilentPeriod: Located<Duration>?
    var addresses: [VirtualAddresses]?
    /// An interface, or `none`.
    var crossConnect: Located<String>?
    var virtualRouterIDs: [(interface: Located<String>, id: Int)]
    var timers: Located<RedundancyTimers>?
    var tracked: [(interface: Located<String>, decrement: Int)]?
    /// Of this box alone: two boxes with different keys refuse each other.
    var key: Located<String>?
    var deferral: Located<Duration?>?
    var conduit: Located<ConduitConfiguration?>?

    init?(_ value: LabValue, _ reader: LabReader) {
        guard let mapping = MappingReader(value, "redundancy", keys: RedundancyDefinition.keys, reader) else {
            return nil
        }
        func located<T>(_ key: String, _ read: (String) -> T?) -> Located<T>? {
            guard let value = mapping[key], let result = read(key) else { return nil }
            return Located(value: result, position: value.position)
        }
        position = value.position
        peer = located("peer") { mapping.text($0) }
        priority = located("priority") { mapping.integer($0, in: 1...254) }
        preemption = located("preempt") { Preemption(mapping, $0) }
        usesVirtualMAC = located("virtual-mac") { mapping.flag($0) }
        advertisementInterval = located("advertise-every") {
            mapping.duration($0, in: .milliseconds(10)...(.milliseconds(40_950)))
        }
        if let interval = advertisementInterval, interval.value.nanoseconds % 10_000_000 != 0 {
            reader.report(
                "'advertise-every' of redundancy is '\(DurationText.text(interval.value))'", at: interval.position,
                allowed: ["a multiple of 10ms: VRRP counts in hundredths of a second"])
        }
        heartbeatInterval = located("heartbeat-every") { mapping.duration($0, in: .milliseconds(1)...(.seconds(60))) }
        heartbeatMisses = located("heartbeat-misses") { mapping.integer($0, in: 1...100) }
        startupSilentPeriod = located("startup-silent-period") { mapping.duration($0, in: .zero...(.seconds(2000))) }
        crossConnect = located("cross-connect") { mapping.text($0) }
        timers = located("timers") { mapping.choice($0) }
        key = located("key") { mapping.text($0) }
        if let key, key.value.isEmpty {
            reader.report("'key' of redundancy is empty", at: key.position, allowed: ["a text that both boxes have"])
        }
        deferral = located("defer") { Self.deferral(mapping, $0) }
        conduit = located("conduit") { mapping[$0].flatMap { Self.conduit($0, reader) } }
        tracked = mapping["track"].map { value in
            NodeDefinition.named(value, "the tracked links", reader).compactMap { entry in
                reader.integer(entry.value, of: "the decrement of '\(entry.key)'", in: 0...253).map {
                    (Located(value: entry.key, position: entry.keyPosition), $0)
                }
            }
        }
        addresses = mapping["addresses"].map { value in
            NodeDefinition.named(value, "the addresses of redundancy", reader).map { entry in
                VirtualAddresses(
                    interface: Located(value: entry.key, position: entry.keyPosition),
                    addresses: Self.addresses(entry.value, reader))
            }
        }
        virtualRouterIDs = NodeDefinition.named(mapping["virtual-router-ids"], "the virtual router ids", reader)
            .compactMap { entry in
                reader.integer(entry.value, of: "the virtual router id of '\(entry.key)'", in: 1...255).map {
                    (Located(value: entry.key, position: entry.keyPosition), $0)
                }
            }
    }

    // MARK: What is exchanged

    private static let mostDeferral = Duration.seconds(1)

    /// `defer: on` (20 ms), `off`, or a time.
    private static func deferral(_ mapping: MappingReader, _ key: String) -> Duration?? {
        switch mapping[key]?.text?.lowercased() {
        case "on", "true", "yes": return .milliseconds(20)
        case "off", "false", "no": return .some(nil)
        default: return mapping.duration(key, in: .milliseconds(1)...mostDeferral).map { .some($0) }
        }
    }

    /// `conduit: on`, `off`, or `{ spread: outer, workers: 4 }`.
    private static func conduit(_ value: LabValue, _ reader: LabReader) -> ConduitConfiguration?? {
        guard value.entries != nil else {
            return reader.flag(value, of: "'conduit' of redundancy").map { $0 ? ConduitConfiguration() : nil }
        }
        guard let mapping = MappingReader(value, "the conduit", keys: RedundancyDefinition.conduitKeys, reader) else {
            return nil
        }
        var conduit = ConduitConfiguration()
        if let spread: ConduitConfiguration.Spread = mapping.choice("spread") { conduit.spread = spread }
        if let workers = mapping.integer("workers", in: 1...64) { conduit.workers = workers }
        return .some(conduit)
    }

    private static func addresses(_ value: LabValue, _ reader: LabReader) -> [Located<IPv4Address>] {
        reader.list(value).compactMap { element in
            guard let address = element.text.flatMap({ IPv4Address($0) }) else {
                reader.report(
                    "a virtual address is \(element.found)", at: element.position, allowed: [IPv4Address.textForm])
                return nil
            }
            return Located(value: address, position: element.position)
        }
    }
}

/// In the order in which messages list them.
extension RedundancyDefinition {
    static let keys = [
        "peer", "priority", "preempt", "virtual-mac", "advertise-every", "heartbeat-every", "heartbeat-misses",
        "startup-silent-period", "addresses", "cross-connect", "virtual-router-ids", "timers", "track", "key", "defer",
        "conduit",
    ]
    static let conduitKeys = ["spread", "workers"]
}
