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
    var preempts: Located<Bool>?
    var usesVirtualMAC: Located<Bool>?
    var advertisementInterval: Located<Duration>?
    var heartbeatInterval: Located<Duration>?
    var heartbeatMisses: Located<Int>?
    var addresses: [VirtualAddresses]?
    /// An interface, or `none`.
    var crossConnect: Located<String>?
    var virtualRouterIDs: [(interface: Located<String>, id: Int)]

    init?(_ value: LabValue, _ reader: LabReader) {
        guard let mapping = MappingReader(value, "redundancy", keys: LabKeys.redundancy, reader) else { return nil }
        func located<T>(_ key: String, _ read: (String) -> T?) -> Located<T>? {
            guard let value = mapping[key], let result = read(key) else { return nil }
            return Located(value: result, position: value.position)
        }
        position = value.position
        peer = located("peer") { mapping.text($0) }
        priority = located("priority") { mapping.integer($0, in: 1...254) }
        preempts = located("preempt") { mapping.flag($0) }
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
        crossConnect = located("cross-connect") { mapping.text($0) }
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
