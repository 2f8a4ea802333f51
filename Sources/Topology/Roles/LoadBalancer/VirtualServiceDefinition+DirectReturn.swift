import Configuration
import LabFile
import Wire

/// What direct server return asks of a virtual service.
///
/// Source: VMware Avi Load Balancer, "Direct Server Return": only consistent hash, no application profile of type
/// System-DNS, no pool sharing; TCP and UDP fast path.
extension VirtualServiceDefinition {
    /// `dsr: ipip`, or a mapping with what differs from the defaults.
    static func directReturn(_ value: LabValue, _ reader: LabReader) -> Located<DirectReturnConfiguration>? {
        if value.text != nil {
            return reader.choice(value, of: "'dsr'", as: DirectReturnConfiguration.Mode.self)
                .map { Located(value: DirectReturnConfiguration(mode: $0), position: value.position) }
        }
        guard let mapping = MappingReader(value, "'dsr'", keys: VirtualServiceDefinition.directReturnKeys, reader),
            mapping.required("mode") != nil, let mode: DirectReturnConfiguration.Mode = mapping.choice("mode")
        else { return nil }
        var direct = DirectReturnConfiguration(mode: mode)
        direct.clampsSegmentSize = mapping.flag("clamp-mss") ?? direct.clampsSegmentSize
        direct.reportsPathMTU = mapping.flag("path-mtu-discovery") ?? direct.reportsPathMTU
        direct.allowsAnyScheduler = mapping.flag("any-scheduler") ?? direct.allowsAnyScheduler
        return Located(value: direct, position: value.position)
    }

    /// The application profiles of the product, as far as a lab may name one.
    private enum ApplicationProfile: String, CaseIterable {
        case systemL4 = "system-l4"
        case systemDNS = "system-dns"
    }

    func checkApplicationProfile(_ mapping: MappingReader, _ reader: LabReader) {
        guard let value = mapping["application-profile"],
            mapping.choice("application-profile", as: ApplicationProfile.self) == .systemDNS
        else { return }
        reader.report(
            directReturn == nil
                ? "'application-profile' is system-dns, which this balancer does not have"
                : "'application-profile' is system-dns, which direct server return does not support: a balancer that answers DNS itself has nothing to return directly",
            at: value.position, allowed: [ApplicationProfile.systemL4.rawValue])
    }

    func checkDirectReturn(_ mapping: MappingReader, _ reader: LabReader) {
        guard let direct = directReturn?.value else {
            if let monitor = mapping["monitor"], let asks = monitor["asks"], self.monitor?.value.target == .service {
                reader.report("'asks: service' belongs to a service with 'dsr'", at: asks.position)
            }
            return
        }
        if profile.endsAtHostSide {
            reader.report(
                "'\(name.value)' has 'dsr', but profile '\(profile.rawValue)' ends connections at the balancer, so answers return through it",
                at: mapping["profile"]?.position,
                allowed: ServiceProfile.allCases.filter { !$0.endsAtHostSide }.map(\.rawValue))
        }
        if scheduler != .consistentHash, !direct.allowsAnyScheduler {
            reader.report(
                "'\(name.value)' has 'dsr' and the scheduler '\(scheduler.rawValue)': direct server return supports consistent hash only, so that every balancer sends a client to the same member",
                at: mapping["scheduler"]?.position, allowed: [Scheduler.consistentHash.rawValue])
        }
        if sourceTranslation != .off {
            reader.report(
                "'\(name.value)' has 'dsr' and 'snat: \(sourceTranslation.rawValue)': the member answers the client itself, so it must see the client's address",
                at: mapping["snat"]?.position, allowed: [SourceTranslation.off.rawValue])
        }
        if !direct.mode.carries(address.value.family) {
            let modes = DirectReturnConfiguration.Mode.allCases.filter { $0.carries(address.value.family) }
            reader.report(
                "'\(name.value)' has 'dsr: \(direct.mode.rawValue)', which does not carry \(address.value.family.rawValue), and the address \(address.value)",
                at: mapping["dsr"]?.position, allowed: modes.map(\.rawValue))
        }
        if direct.mode == .l2, direct.clampsSegmentSize {
            reader.report(
                "'clamp-mss' belongs to a tunnel; 'dsr: l2' has none", at: mapping["dsr"]?["clamp-mss"]?.position)
        }
        for member in members {
            guard let port = member.endpoint.port, port != self.port else { continue }
            reader.report(
                "a pool member has port \(port), but '\(name.value)' listens on \(self.port): direct server return translates nothing",
                at: member.position, allowed: ["\(member.endpoint.host):\(self.port)"])
        }
    }
}

/// In the order in which messages list them.
extension VirtualServiceDefinition {
    static let directReturnKeys = ["mode", "clamp-mss", "path-mtu-discovery", "any-scheduler"]
}
