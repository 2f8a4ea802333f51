import Testing

/// Identifiers that still have a word which `WordTests` replaces: by file, how often each. The list only becomes shorter.
enum RemainingWords {
    static let byFile = parse(list)

    /// `path: word 1, two words 3` on each line.
    static func parse(_ list: String) -> [String: [String: Int]] {
        Dictionary(
            uniqueKeysWithValues: list.split(separator: "\n").map { line in
                let parts = line.split(separator: ":", maxSplits: 1)
                let words = parts[1].split(separator: ",").map { entry in
                    let words = entry.split(separator: " ")
                    return (words.dropLast().joined(separator: " "), Int(words.last ?? "") ?? 0)
                }
                return (String(parts[0]), Dictionary(uniqueKeysWithValues: words))
            })
    }

    /// Fails for each word that is found more often than it is allowed, and warns where it is found less often.
    /// - Parameters:
    ///   - place: where the words are, such as `identifiers`
    ///   - list: the name of the list of what is allowed
    ///   - better: what to write instead of a word
    static func check(
        _ found: [String: [String: Int]], allowed: [String: [String: Int]], in place: String, list: String,
        better: (String) -> String
    ) {
        for (file, words) in found {
            for (word, count) in words where count > allowed[file]?[word] ?? 0 {
                Issue.record(
                    """
                    \(file): \(place) with '\(word)', \(count) times where \(allowed[file]?[word] ?? 0) are left: \
                    write \(better(word))
                    """)
            }
        }
        let stale = allowed.filter { file, words in
            words.contains { word, count in (found[file]?[word] ?? 0) < count }
        }
        if !stale.isEmpty {
            Issue.record(
                """
                fewer are left than \(list) allows; its lines are now:
                \(stale.keys.sorted().map { line($0, found[$0] ?? [:]) }.joined(separator: "\n"))
                """, severity: .warning)
        }
    }

    /// As the list has it.
    static func line(_ file: String, _ words: [String: Int]) -> String {
        "\(file): " + words.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
    }

    private static let list = """
        Sources/Appliances/Firewall/Pair/PairMember.swift: tells 1
        Sources/Appliances/GatewayFirewall/GatewayFirewall+Events.swift: tell 1
        Sources/Appliances/GatewayFirewall/GatewayFirewall+Frames.swift: tell 1
        Sources/Configuration/Host/ProgramConfiguration.swift: ways 1
        Sources/Dataplane/Filtering/SessionEngine+Records.swift: tells 1
        Sources/Dataplane/Ports/BoxPorts+Sending.swift: tell 2
        Sources/Dataplane/Routes/RouteTable.swift: ways 7
        Sources/Impairment/Rules/FaultAction.swift: chance 1
        Sources/Measurement/FlowMeter.swift: patience 1
        Sources/Mutants/Mutant.swift: tells 3
        Sources/Redundancy/PairRules.swift: tells 1
        Sources/Redundancy/SessionSync/OutgoingStream.swift: tells 1
        Sources/Redundancy/SessionSync/SessionJournal+Sending.swift: tells 1
        Sources/Report/TrafficEntry.swift: patience 2
        Sources/Topology/Expectations/ExpectationReading.swift: crowd 1
        Sources/Topology/Expectations/FrameExpectationForm.swift: crowd 1
        Sources/Topology/Expectations/MoveExpectationForm.swift: crowd 1
        Sources/Topology/Expectations/TrafficExpectationForm.swift: chance 2
        Sources/Topology/Model/Variant.swift: chance 2
        Sources/Topology/Programs/BGPDefinition.swift: ways 1
        Sources/Topology/Resolution/ServerAssignment.swift: speaks 3
        Sources/Topology/Resolution/VariantReading.swift: chance 6
        Sources/Traffic/FTP/FTPConnection.swift: say 22
        Sources/TrafficModel/FlowModel.swift: patience 1
        Sources/failoverlab/SeedOption.swift: chance 1
        Tests/AppliancesTests/Firewall/FirewallKeyTests.swift: told 7
        Tests/AppliancesTests/Firewall/FirewallPinholeTests.swift: conversation 51, conversations 6, say 8, told 2
        Tests/AppliancesTests/Firewall/NAT/NATTableTests.swift: told 3
        Tests/AppliancesTests/Firewall/NAT/NATTimeTests.swift: lives 11
        Tests/AppliancesTests/Firewall/Policy/FirewallPushTests.swift: told 2
        Tests/AppliancesTests/Firewall/Policy/NATPushTests.swift: told 3
        Tests/AppliancesTests/Firewall/Simulation/PairBreach.swift: tells 1
        Tests/AppliancesTests/GatewayFirewall/GatewayStateTests.swift: conversation 12, conversations 2
        Tests/DataplaneTests/Filtering/Gateways/ControlBench.swift: say 2
        Tests/DataplaneTests/Filtering/Gateways/PinholeTests.swift: said 2, say 11
        Tests/DataplaneTests/Filtering/SessionStateTests.swift: conversations 3
        Tests/MeasurementTests/FlowMeterTests.swift: patience 6
        Tests/Mutants/Mutant+Declaration.swift: tells 3
        Tests/PacketIOTests/BoxRunnerTests.swift: said 9, tells 4, told 14
        Tests/PacketIOTests/PortForwarder.swift: tells 5
        Tests/RedundancyTests/ConfigurationSync/AgreementPair.swift: told 2
        Tests/RedundancyTests/ConfigurationSync/ConfigurationAgreementTests.swift: told 4
        Tests/RedundancyTests/PairSimulationTests.swift: hear 2
        Tests/RedundancyTests/VirtualRouterTests.swift: heard 3
        Tests/TopologyTests/CrowdLabTests.swift: told 3
        Tests/TopologyTests/FTPLabTests.swift: told 4
        Tests/TopologyTests/NATPushLabTests.swift: told 8
        Tests/TopologyTests/PolicyLabTests.swift: told 3
        Tests/TopologyTests/ProgramTests.swift: ways 1
        Tests/TopologyTests/SeedTests.swift: chance 5
        Tests/TrafficTests/FTPTrafficTests.swift: say 6
        """
}
