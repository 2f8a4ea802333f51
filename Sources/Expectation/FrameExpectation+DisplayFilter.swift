import Evidence
import LabTime
import Measurement
import Wire

extension FrameExpectation {
    /// A display filter that shows the deciding frames in their context.
    ///
    /// - Parameter shown: where the capture filter has no equal in Wireshark's language, these frames by their numbers
    func displayFilter(
        for verdict: ExpectationVerdict, _ selection: CompiledSelection, shown: [FrameReference], foundNothing: Bool,
        in evidence: RunEvidence
    ) -> String? {
        var parts: [String] = []
        if let match {
            guard let translated = CaptureFilterTranslation(match).displayFilter else {
                guard !shown.isEmpty else { return nil }
                return "frame.number in {\(Set(shown.map(\.number)).sorted().map(String.init).joined(separator: ", "))}"
            }
            parts.append(translated.contains(" || ") ? "(\(translated))" : translated)
        }
        if let flowsOf, let traffic = evidence.traffic(named: flowsOf) { parts.append(Self.flows(traffic, direction)) }
        // If nothing lies in the window, the frames around it are of interest.
        if !foundNothing {
            if let start = selection.window.start { parts.append("frame.time_epoch >= \(start.epochSeconds)") }
            if let end = selection.window.end { parts.append("frame.time_epoch < \(end.epochSeconds)") }
            if let condition = condition(for: verdict) { parts.append(condition) }
        }
        return parts.isEmpty ? nil : parts.joined(separator: " && ")
    }

    private func condition(for verdict: ExpectationVerdict) -> String? {
        func all(_ checks: [FieldCheck]) -> String? {
            checks.isEmpty ? nil : checks.map(\.displayFilter).joined(separator: " && ")
        }
        return switch requirement {
        case .every(let checks): verdict == .fail ? all(checks).map { "!(\($0))" } : nil
        case .some(let checks): verdict == .pass ? all(checks) : nil
        case .none(let checks): verdict == .fail ? all(checks) : nil
        case .count(_, let checks): all(checks)
        case .first: nil
        case .sequence(let steps):
            steps.contains([]) ? nil : "(" + steps.compactMap(all).map { "(\($0))" }.joined(separator: " || ") + ")"
        }
    }

    private static func flows(_ traffic: TrafficResult, _ direction: Direction?) -> String {
        let (address, port) =
            switch direction {
            case .toServer: ("src", "srcport")
            case .toClient: ("dst", "dstport")
            case nil: ("addr", "port")
            }
        let ends = traffic.flows.flatMap(\.ends)
        let addresses = Set(ends.map(\.source)).sorted().map {
            "\($0.isIPv4 ? "ip" : "ipv6").\(address) == \($0)"
        }
        let isCommand = traffic.program.kind == .command
        let ports = Set(ends.map(\.sourcePort)).sorted().filter { $0 != 0 || !isCommand }
        let from = addresses.count == 1 ? addresses[0] : "(\(addresses.joined(separator: " || ")))"
        // Hundreds of ports would make an unreadable filter.
        guard ports.count <= 16, !ports.isEmpty || !isCommand else {
            return "\(traffic.program.displayFilter) && \(from)"
        }
        return
            "\(from) && \(TrafficProof.portField(of: traffic.program, port)) in {\(ports.map(String.init).joined(separator: ", "))}"
    }
}

extension TrafficProgram {
    /// Of its packets, in Wireshark's language.
    fileprivate var displayFilter: String { transport == .icmpv6 ? "icmpv6" : captureFilter }
}

extension Timestamp {
    /// Seconds since 1970 with nine decimals, as `frame.time_epoch` is compared.
    fileprivate var epochSeconds: String {
        "\(nanoseconds / 1_000_000_000).\(String(1_000_000_000 + nanoseconds % 1_000_000_000).dropFirst())"
    }
}
