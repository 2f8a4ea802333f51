import Configuration
import LabFile
import LabTime
import Wire

/// keepalived with VRRP instances, or with a configuration of the lab's own.
struct KeepalivedDefinition: ProgramShortForm {
    static let name = "keepalived"
    static let summary = "[keepalived](#keepalived) with VRRP"
    static let keys = ["instances", "sync", "await", "config"]
    static let innerKeys =
        KeepalivedInstance.keys + KeepalivedInstance.Check.keys + KeepalivedInstance.announcementKeys.map(\.key)
    static let example = """
        keepalived:
          instances:
            lan: { interface: net, router-id: 51, priority: 150, addresses: 192.0.2.1, version: 3, interval: 100ms,
                   preempt: on, preempt-delay: 5s, peers: server.net, track: net, virtual-mac: off, notify: "/bin/true",
                   check: { run: "/bin/true", every: 1s, fall: 2, rise: 1 },
                   announcements: { delay: 1s, repeat: 5, refresh: 10s, refresh-repeat: 1, lower-priority-delay: 5s,
                                    lower-priority-repeat: 5 } }
            other: { interface: net, router-id: 52, addresses: 192.0.2.2 }
          sync: [lan, other]
          await: { other: backup }
        """

    /// The state that an instance must have had before the node is ready.
    enum Awaited: String, CaseIterable {
        case master, backup, any
    }

    var instances: [KeepalivedInstance] = []
    /// Instances that have one state together.
    var sync: [String] = []
    var awaited: [String: Awaited] = [:]
    /// The whole `keepalived.conf`.
    var configuration: Located<String>?

    init?(_ value: LabValue, _ reader: LabReader) {
        guard let mapping = MappingReader(value, "the program 'keepalived'", keys: Self.keys, reader) else {
            return nil
        }
        for entry in NodeDefinition.named(mapping["await"], "'await' of 'keepalived'", reader) {
            awaited[entry.key] = reader.choice(entry.value, of: "what is awaited of '\(entry.key)'", as: Awaited.self)
        }
        if mapping["config"] != nil {
            configuration = WholeConfiguration.read(mapping, "keepalived.conf", besides: ["await"], Self.keys)
            return
        }
        guard let written = mapping.required("instances") else { return nil }
        for entry in NodeDefinition.named(written, "the instances of 'keepalived'", reader) {
            if let instance = KeepalivedInstance(entry, reader) { instances.append(instance) }
        }
        if written.entries?.isEmpty == true {
            reader.report("keepalived needs at least one instance", at: written.position)
        }
        let names = instances.map(\.name.value)
        for element in mapping["sync"].map(reader.list) ?? [] {
            guard let text = element.text, names.contains(text) else {
                reader.reportUnknown(
                    element.text ?? "", "'sync' names \(element.found), which is no instance", at: element.position,
                    allowed: names)
                continue
            }
            sync.append(text)
        }
        for entry in mapping["await"]?.entries ?? [] where !names.contains(entry.key) {
            reader.reportUnknown(
                entry.key, "'await' names '\(LabValue.shortened(entry.key))', which is no instance",
                at: entry.keyPosition, allowed: names)
        }
    }

    var ports: [TransportPort] { [] }

    var virtualAddresses: [(interface: String, address: Located<IPAddress>)] {
        instances.flatMap { instance in
            instance.addresses.compactMap { value in
                value.text.flatMap { IPAddress($0) }.map {
                    (instance.interface.value, Located(value: $0, position: value.position))
                }
            }
        }
    }
}

/// A `config` that stands for every other key of a short form.
enum WholeConfiguration {
    /// - Parameters:
    ///   - file: what keepalived or the like calls it
    ///   - key: the lab file's word
    ///   - besides: keys that go with it
    static func read(
        _ mapping: MappingReader, _ file: String, key: String = "config", besides: [String], _ keys: [String]
    ) -> Located<String>? {
        guard let value = mapping[key], let text = mapping.text(key) else { return nil }
        for other in keys where other != key && !besides.contains(other) && mapping[other] != nil {
            mapping.reader.report(
                "'\(key)' is the whole \(file), '\(other)' included", at: mapping.keyPosition(other))
        }
        if ProgramFileTexts.isFileName(text, for: file, mapping.reader) {
            mapping.reader.report(
                "'\(key)' is the one word '\(LabValue.shortened(text))', which is the name of a file",
                at: value.position, allowed: ["{ from: \(text) } for what that file has", "its text"])
            return nil
        }
        return Located(value: text, position: value.position)
    }
}
