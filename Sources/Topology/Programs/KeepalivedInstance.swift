import LabFile
import LabTime

/// A VRRP instance of keepalived as written.
struct KeepalivedInstance {
    static let keys = [
        "interface", "router-id", "priority", "addresses", "version", "interval", "preempt", "preempt-delay", "peers",
        "track", "check", "virtual-mac", "notify", "announcements",
    ]

    /// A command that decides whether the instance may be master: `vrrp_script` and `track_script`.
    struct Check {
        static let keys = ["run", "every", "fall", "rise"]
        var command: Located<String>
        /// Seconds.
        var interval = 1
        var fall = 1
        var rise = 1
    }

    /// Of gratuitous ARP and unsolicited neighbour advertisements, and keepalived's words for them.
    static let announcementKeys: [(key: String, word: String, isTime: Bool)] = [
        ("delay", "garp_master_delay", true), ("repeat", "garp_master_repeat", false),
        ("refresh", "garp_master_refresh", true), ("refresh-repeat", "garp_master_refresh_repeat", false),
        ("lower-priority-delay", "garp_lower_prio_delay", true),
        ("lower-priority-repeat", "garp_lower_prio_repeat", false),
    ]

    var name: Located<String>
    var interface: Located<String>
    var routerID = 0
    var priority = 100
    /// Addresses or references.
    var addresses: [LabValue] = []
    var version = 3
    var interval = Duration.seconds(1)
    var preempts = true
    /// Seconds.
    var preemptDelay: Int?
    /// Addresses or references; none: multicast.
    var peers: [LabValue] = []
    var tracked: [Located<String>] = []
    var check: Check?
    var hasVirtualMAC = false
    var notify: Located<String>?
    /// Lines of the configuration.
    var announcements: [String] = []

    /// `lan: { router-id: 51, priority: 150, addresses: [lan/gateway.address] }`
    init?(_ entry: LabEntry, _ reader: LabReader) {
        let what = "the instance '\(LabValue.shortened(entry.key))'"
        guard NameRule.word.check(entry.key, "an instance", at: entry.keyPosition, reader),
            let mapping = MappingReader(entry.value, what, keys: Self.keys, reader),
            mapping.required("router-id") != nil, let addresses = mapping.required("addresses")
        else { return nil }
        name = Located(value: entry.key, position: entry.keyPosition)
        interface = name
        if let value = mapping["interface"], let text = mapping.text("interface") {
            interface = Located(value: text, position: value.position)
        }
        routerID = mapping.integer("router-id", in: 1...255) ?? 0
        // 255 is the owner's, which has the address all the time. Source: RFC 5798, 5.2.4
        priority = mapping.integer("priority", in: 1...255) ?? 100
        self.addresses = reader.list(addresses)
        if self.addresses.isEmpty { reader.report("\(what) has no address", at: addresses.position) }
        version = mapping.integer("version", in: 2...3) ?? 3
        readTimes(mapping, reader)
        peers = mapping["peers"].map(reader.list) ?? []
        tracked = (mapping["track"].map(reader.list) ?? []).compactMap { element in
            reader.text(element, of: "an interface of 'track'").map { Located(value: $0, position: element.position) }
        }
        hasVirtualMAC = mapping.flag("virtual-mac") ?? false
        notify =
            mapping["notify"]?.text == ConntrackdDefinition.name
            ? mapping["notify"].map { Located(value: ConntrackdDefinition.name, position: $0.position) }
            : Self.command(mapping, "notify", reader)
        check = mapping["check"].flatMap { Self.check($0, what, reader) }
        readAnnouncements(mapping["announcements"], what, reader)
    }

    /// keepalived has commands in quotation marks.
    private static func command(_ mapping: MappingReader, _ key: String, _ reader: LabReader) -> Located<String>? {
        guard let value = mapping[key], let text = mapping.text(key) else { return nil }
        if text.contains("\"") || text.contains("\n") || !text.hasPrefix("/") {
            reader.report(
                "'\(key)' of \(mapping.what) is \(value.found)", at: value.position,
                allowed: [
                    "an absolute path with arguments, in one line without quotation marks, such as /bin/sh $folder/\(key).sh"
                ])
        }
        return Located(value: text, position: value.position)
    }

    /// `{ run: /bin/sh $folder/check.sh, every: 1s, fall: 2, rise: 1 }`
    private static func check(_ value: LabValue, _ what: String, _ reader: LabReader) -> Check? {
        guard let mapping = MappingReader(value, "'check' of \(what)", keys: Check.keys, reader),
            mapping.required("run") != nil, let command = command(mapping, "run", reader)
        else { return nil }
        var check = Check(command: command)
        if let time = seconds(mapping, "every", reader) { check.interval = max(1, time) }
        check.fall = mapping.integer("fall", in: 1...100) ?? check.fall
        check.rise = mapping.integer("rise", in: 1...100) ?? check.rise
        return check
    }

    private mutating func readTimes(_ mapping: MappingReader, _ reader: LabReader) {
        if let value = mapping["interval"],
            let time = mapping.duration("interval", in: .milliseconds(10)...(.seconds(40)))
        {
            interval = time
            // Whole seconds in version 2, hundredths in 3. Source: RFC 3768, 5.3.7; RFC 5798, 5.2.7
            let unit: Int64 = version == 2 ? 1_000_000_000 : 10_000_000
            if time.nanoseconds % unit != 0 {
                reader.report(
                    "'interval' is \(value.found), which VRRP version \(version) cannot carry", at: value.position,
                    allowed: [version == 2 ? "whole seconds" : "multiples of 10 ms"])
            }
        }
        preempts = mapping.flag("preempt") ?? true
        preemptDelay = Self.seconds(mapping, "preempt-delay", reader)
        if !preempts, preemptDelay != nil {
            reader.report(
                "'preempt-delay' means nothing where 'preempt' is off", at: mapping.keyPosition("preempt-delay"))
        }
    }

    private mutating func readAnnouncements(_ value: LabValue?, _ what: String, _ reader: LabReader) {
        guard let value,
            let mapping = MappingReader(
                value, "'announcements' of \(what)", keys: Self.announcementKeys.map(\.key), reader)
        else { return }
        for (key, word, isTime) in Self.announcementKeys where mapping[key] != nil {
            let number = isTime ? Self.seconds(mapping, key, reader) : mapping.integer(key, in: 0...1000)
            if let number { announcements.append("\(word) \(number)") }
        }
    }

    /// keepalived takes whole seconds.
    private static func seconds(_ mapping: MappingReader, _ key: String, _ reader: LabReader) -> Int? {
        guard let value = mapping[key], let time = mapping.duration(key, in: .zero...(.seconds(1000))) else {
            return nil
        }
        if time.nanoseconds % 1_000_000_000 != 0 {
            reader.report("'\(key)' is \(value.found)", at: value.position, allowed: ["whole seconds"])
        }
        return Int(time.nanoseconds / 1_000_000_000)
    }
}
