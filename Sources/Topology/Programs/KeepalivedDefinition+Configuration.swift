import Configuration
import LabFile
import LabTime
import Wire

extension KeepalivedDefinition {
    func program(
        _ name: Located<String>, of node: String, in resolution: Resolution
    ) -> ProgramConfiguration? {
        let text: String
        var readiness: [ProgramConfiguration.Readiness]
        if let own = configuration {
            text = resolution.references.resolve(text: own.value, at: own.position, resolution.reader)
            readiness = awaited.sorted { $0.key < $1.key }.map { Self.ready($0.key, $0.value) }
            if readiness.isEmpty, text.contains("vrrp_instance") { readiness = [Self.ready("[^)]+", .any)] }
        } else {
            guard let lines = self.text(of: node, in: resolution) else { return nil }
            text = lines
            readiness = instances.map {
                Self.ready($0.name.value, awaited[$0.name.value] ?? expected($0, of: node, in: resolution))
            }
        }
        let folder = "/run/\(Self.name)"
        // Its process for IPVS ends at once where there is none, and the parent starts it again and again.
        let isVRRPAlone = !IPVSUse.isNamed(inKeepalivedConfiguration: text)
        return ProgramConfiguration(
            name: Self.name,
            command: [
                "keepalived", "--dont-fork", "--log-console", "--log-detail", "--no-syslog", "--use-file",
                ProgramConfiguration.folderWord + "/keepalived.conf", "--pid", "\(folder)/keepalived.pid",
                "--vrrp_pid", "\(folder)/vrrp.pid",
            ] + (isVRRPAlone ? ["--vrrp"] : []),
            files: [.init(name: "keepalived.conf", text: text)], readiness: readiness,
            events: State.allCases.map {
                .init(name: $0.rawValue, pattern: "\\((?<instance>[^)]+)\\) Entering \($0.word) STATE")
            })
    }

    /// What keepalived logs of an instance.
    private enum State: String, CaseIterable {
        case master, backup, fault

        var word: String { rawValue.uppercased() }
    }

    private static func ready(_ instance: String, _ state: Awaited) -> ProgramConfiguration.Readiness {
        let states = state == .any ? "(MASTER|BACKUP|FAULT)" : state.rawValue.uppercased()
        return .output(pattern: "\\(\(instance)\\) Entering \(states) STATE")
    }

    /// What an instance comes to where all start together: the one of highest priority becomes the master.
    private func expected(_ instance: KeepalivedInstance, of node: String, in resolution: Resolution) -> Awaited {
        guard instance.preempts, let network = network(of: instance, of: node, in: resolution) else { return .any }
        let address = instance.addresses.first.flatMap { Self.address($0, in: resolution) }
        for other in resolution.nodeDefinitions where other.name.value != node {
            for case let program as KeepalivedDefinition in other.programs.map(\.form) {
                if program.configuration != nil { return .any }
                let rivals = program.instances.filter { rival in
                    let theirs = rival.addresses.first.flatMap { Self.address($0, in: resolution) }
                    // A switch between them has a network of its own to each: then the virtual address tells.
                    return rival.routerID == instance.routerID && theirs?.isIPv4 == address?.isIPv4
                        && (theirs == address
                            || program.network(of: rival, of: other.name.value, in: resolution) == network)
                }
                if rivals.contains(where: { $0.priority >= instance.priority }) { return .any }
            }
        }
        return .master
    }

    private func network(of instance: KeepalivedInstance, of node: String, in resolution: Resolution) -> String? {
        resolution.interfaces[node]?.first { $0.name == instance.interface.value }?.network
    }

    /// Without reports: `text` makes them.
    private static func address(_ value: LabValue, in resolution: Resolution) -> IPAddress? {
        value.text.flatMap { IPAddress(resolution.references[$0] ?? $0) }
    }

    // MARK: The file

    private func text(of node: String, in resolution: Resolution) -> String? {
        let before = resolution.reader.reports
        var lines = [
            "# Made from the lab file's short form.", "global_defs {", "    router_id \(node)",
            "    script_user root", "}",
        ]
        if !sync.isEmpty {
            lines += ["vrrp_sync_group all {", "    group {"] + sync.map { "        \($0)" } + ["    }", "}"]
        }
        for instance in instances {
            guard let check = instance.check else { continue }
            let command = resolution.references.resolve(
                text: check.command.value, at: check.command.position, resolution.reader)
            lines += Self.block(
                "vrrp_script \(instance.name.value)",
                [
                    "script \"\(command)\"", "interval \(check.interval)", "timeout \(check.interval)",
                    "fall \(check.fall)", "rise \(check.rise)",
                ])
        }
        for instance in instances { lines += self.lines(instance, of: node, in: resolution) }
        return resolution.reader.reports == before ? lines.joined(separator: "\n") + "\n" : nil
    }

    private func lines(_ instance: KeepalivedInstance, of node: String, in resolution: Resolution) -> [String] {
        let (name, reader) = (instance.name.value, resolution.reader)
        let interfaces = resolution.interfaces[node] ?? []
        for wanted in [instance.interface] + instance.tracked
        where !interfaces.contains(where: { $0.name == wanted.value }) {
            reader.reportUnknown(
                wanted.value,
                "instance '\(name)' is on '\(LabValue.shortened(wanted.value))', which '\(node)' does not have",
                at: wanted.position, allowed: interfaces.map(\.name), isOnce: true)
        }
        guard let interface = interfaces.first(where: { $0.name == instance.interface.value }) else { return [] }
        let addresses = instance.addresses.compactMap { self.address($0, of: name, resolution) }
        guard let family = addresses.first?.family else { return [] }
        if let other = zip(addresses, instance.addresses).first(where: { $0.0.family != family }) {
            reader.report(
                "instance '\(name)' has \(addresses[0]) and \(other.0): a virtual router has one family",
                at: other.1.position, allowed: ["an instance for each family"])
        }
        if family == .ipv6, instance.version == 2 {
            reader.report(
                "instance '\(name)' has IPv6 addresses, which VRRP version 2 has not", at: instance.name.position)
        }
        var lines = [
            "state BACKUP", "interface \(interface.name)", "virtual_router_id \(instance.routerID)",
            "priority \(instance.priority)", "version \(instance.version)",
            "advert_int \(Self.seconds(instance.interval))",
        ]
        if !instance.preempts { lines.append("nopreempt") }
        if let delay = instance.preemptDelay { lines.append("preempt_delay \(delay)") }
        if instance.hasVirtualMAC { lines.append("use_vmac") }
        lines += instance.announcements
        let peers = instance.peers.flatMap {
            resolution.nextHops(
                $0, of: node, what: "a peer of instance '\(name)'", family)
        }
        if !peers.isEmpty {
            let own = interface.address(family)?.address
            lines += (own.map { ["unicast_src_ip \($0)"] } ?? []) + Self.block("unicast_peer", peers.map { "\($0)" })
        }
        if !instance.tracked.isEmpty { lines += Self.block("track_interface", instance.tracked.map(\.value)) }
        if instance.check != nil { lines += Self.block("track_script", [name]) }
        lines += Self.block("virtual_ipaddress", addresses.map { "\($0) dev \(interface.name)" })
        if let notify = instance.notify { lines.append("notify \"\(command(notify, of: node, in: resolution))\"") }
        return Self.block("vrrp_instance \(name)", lines)
    }

    /// What is run at a change of state; `conntrackd` stands for what that program has for it.
    private func command(_ notify: Located<String>, of node: String, in resolution: Resolution) -> String {
        guard notify.value == ConntrackdDefinition.name else {
            return resolution.references.resolve(text: notify.value, at: notify.position, resolution.reader)
        }
        let programs = resolution.nodeDefinitions.first { $0.name.value == node }?.programs ?? []
        if !programs.contains(where: { $0.form is ConntrackdDefinition }) {
            resolution.reader.report(
                "'notify' is conntrackd, which is no program of '\(node)'", at: notify.position,
                allowed: ["conntrackd among its programs", "a command with an absolute path"])
        }
        return ConntrackdDefinition.notify
    }

    private func address(_ value: LabValue, of instance: String, _ resolution: Resolution) -> IPAddress? {
        guard let text = value.text else {
            resolution.reader.report(
                "an address of instance '\(instance)' is \(value.found)", at: value.position,
                allowed: [IPAddress.textForm, "network/name.address"])
            return nil
        }
        guard let resolved = resolution.references.resolve(text, at: value.position, resolution.reader) else {
            return nil
        }
        if let address = IPAddress(resolved) { return address }
        resolution.reader.report(
            "an address of instance '\(instance)' is \(value.found)", at: value.position,
            allowed: [IPAddress.textForm, "network/name.address"],
            suggestion: Spelling.nearest(to: text, among: resolution.references.values.map(\.reference)))
        return nil
    }

    private static func block(_ head: String, _ lines: [String]) -> [String] {
        ["\(head) {"] + lines.map { "    \($0)" } + ["}"]
    }

    /// `1`, `0.25`
    private static func seconds(_ time: Duration) -> String {
        let hundredths = time.nanoseconds / 10_000_000
        return hundredths % 100 == 0
            ? "\(hundredths / 100)" : "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
    }
}
