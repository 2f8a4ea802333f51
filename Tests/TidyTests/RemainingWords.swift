/// Identifiers that still have a word which `WordTests` replaces: by file, how often each. The list only becomes shorter.
enum RemainingWords {
    static let byFile: [String: [String: Int]] = Dictionary(
        uniqueKeysWithValues: list.split(separator: "\n").map { line in
            let parts = line.split(separator: ":", maxSplits: 1)
            let words = parts[1].split(separator: ",").map { entry in
                let words = entry.split(separator: " ")
                return (words.dropLast().joined(separator: " "), Int(words.last ?? "") ?? 0)
            }
            return (String(parts[0]), Dictionary(uniqueKeysWithValues: words))
        })

    /// As the list has it.
    static func line(_ file: String, _ words: [String: Int]) -> String {
        "\(file): " + words.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
    }

    private static let list = """
        Benchmarks/Sources/failoverlab-bench/HTTP/ConnectionCrowd.swift: crowd 1
        Benchmarks/Sources/failoverlab-bench/HTTP/HTTPRounds.swift: crowd 15
        Benchmarks/Sources/failoverlab-bench/Sync/ConntrackdPair.swift: speaks 1
        Benchmarks/Sources/failoverlab-bench/Sync/OurPair.swift: speaks 2
        Benchmarks/Sources/failoverlab-bench/Sync/SyncPath.swift: speaks 2
        Sources/Appliances/Firewall/Pair/PairMember.swift: tells 1
        Sources/Appliances/GatewayFirewall/GatewayFirewall+Events.swift: tell 1
        Sources/Appliances/GatewayFirewall/GatewayFirewall+Frames.swift: tell 1
        Sources/Capture/CaptureFile.swift: said 5
        Sources/Capture/PacketRing.swift: said 3
        Sources/Configuration/Host/ProgramConfiguration.swift: ways 1
        Sources/Dataplane/Filtering/SessionEngine+Records.swift: tells 1
        Sources/Dataplane/Ports/BoxPorts+Sending.swift: tell 2
        Sources/Dataplane/Routes/RouteTable.swift: ways 7
        Sources/EventLoop/EventLoop.swift: tell 3
        Sources/Expectation/Anchor+Evidence.swift: said 3
        Sources/Expectation/ChanceOfLoss.swift: chance 2
        Sources/Expectation/ClientFrames.swift: said 2
        Sources/Expectation/LogExpectation+Evaluation.swift: told 8
        Sources/Expectation/MoveExpectation.swift: ways 10
        Sources/Expectation/TrafficExpectation+Anomalies.swift: chance 2
        Sources/Expectation/TrafficExpectation+Evaluation.swift: chance 3
        Sources/Expectation/TrafficExpectation+Words.swift: chance 6
        Sources/Expectation/TrafficExpectation.swift: chance 7
        Sources/HostSide/HostSide.swift: told 3
        Sources/Impairment/Cable/CableBuffer.swift: tells 4
        Sources/Impairment/Cable/CableRule.swift: told 1
        Sources/Impairment/Cable/FaultyCable+Frames.swift: tell 11, tells 3
        Sources/Impairment/Cable/FaultyCable+Orders.swift: tell 3
        Sources/Impairment/Cable/FaultyCable.swift: tell 1, told 5
        Sources/Impairment/Rules/FaultAction.swift: chance 1
        Sources/LabRuntime/Captures/CaptureProcess.swift: patience 3
        Sources/LabRuntime/Control/LiveCapture.swift: said 2, tell 3
        Sources/LabRuntime/Nodes/BoxProgram.swift: heard 4, tell 6
        Sources/LabRuntime/Nodes/RouteWatch.swift: heard 2
        Sources/LabRuntime/Processes/Warden.swift: patience 2
        Sources/LabRuntime/Programs/NodePrograms.swift: patience 3
        Sources/LabRuntime/Programs/ProgramReadiness.swift: ways 5
        Sources/Measurement/FlowMeter.swift: patience 6
        Sources/Mutants/Mutant.swift: tells 3
        Sources/Redundancy/PairRules.swift: tells 1
        Sources/Redundancy/SessionSync/OutgoingStream.swift: tells 1
        Sources/Redundancy/SessionSync/SessionJournal+Sending.swift: tells 1
        Sources/Report/TrafficEntry.swift: patience 2
        Sources/Report/VariantText.swift: chance 2
        Sources/Report/VariantVerdict.swift: judged 3
        Sources/Topology/Expectations/ExpectationReading.swift: crowd 1
        Sources/Topology/Expectations/FrameExpectationForm.swift: crowd 1
        Sources/Topology/Expectations/MoveExpectationForm.swift: crowd 1
        Sources/Topology/Expectations/TrafficExpectationForm.swift: chance 9
        Sources/Topology/Model/Variant.swift: chance 2
        Sources/Topology/Programs/BirdDefinition+Configuration.swift: ways 2
        Sources/Topology/Programs/BirdDefinition.swift: ways 1
        Sources/Topology/Resolution/ServerAssignment.swift: speaks 3
        Sources/Topology/Resolution/VariantReading.swift: chance 6
        Sources/Traffic/Client/CrowdSchedule.swift: crowd 1
        Sources/Traffic/Client/DatagramCrowd.swift: crowd 6, patience 1, tell 1
        Sources/Traffic/Client/TrafficClient.swift: crowd 15
        Sources/TrafficModel/TrafficProgram+Options.swift: crowd 1
        Sources/Traffic/FTP/FTPConnection.swift: say 22
        Sources/Traffic/Server/UDPEchoServer.swift: tell 1
        Sources/Traffic/Sockets/Socket.swift: tell 1
        Sources/TrafficModel/FlowModel.swift: patience 1
        Sources/failoverlab/Running/WaveScheduler.swift: heard 2
        Sources/failoverlab/SeedOption.swift: chance 1, tell 1
        Sources/failoverlab/Verbs/Run.swift: chance 3, judged 3, tell 1
        Sources/failoverlab/Verbs/Up.swift: chance 2
        Tests/AppliancesTests/Firewall/FirewallKeyTests.swift: told 7
        Tests/AppliancesTests/Firewall/FirewallPinholeTests.swift: conversation 51, conversations 6, say 8, told 2
        Tests/AppliancesTests/Firewall/NAT/NATTableTests.swift: told 3
        Tests/AppliancesTests/Firewall/NAT/NATTimeTests.swift: lives 11
        Tests/AppliancesTests/Firewall/Policy/FirewallPushTests.swift: told 2
        Tests/AppliancesTests/Firewall/Policy/NATPushTests.swift: told 3
        Tests/AppliancesTests/Firewall/Simulation/PairChaos.swift: chance 16, told 2
        Tests/AppliancesTests/Firewall/Simulation/PairChaosTests.swift: tells 1
        Tests/AppliancesTests/Firewall/Simulation/PairInvariants.swift: heard 3
        Tests/AppliancesTests/Firewall/Simulation/PairTransfers.swift: say 3
        Tests/AppliancesTests/GatewayFirewall/GatewayStateTests.swift: conversation 12, conversations 2
        Tests/Census/main.swift: say 4
        Tests/DataplaneTests/Filtering/Gateways/ControlBench.swift: say 2
        Tests/DataplaneTests/Filtering/Gateways/PinholeTests.swift: said 2, say 11
        Tests/DataplaneTests/Filtering/SessionStateTests.swift: conversations 3
        Tests/EndToEndTests/CaptureVerbTests.swift: said 2
        Tests/EndToEndTests/CatalogueEvidenceTests.swift: said 2, told 2
        Tests/EndToEndTests/CrowdTests.swift: crowds 1
        Tests/EndToEndTests/Kills/KillAttempt.swift: life 16, patience 3
        Tests/EndToEndTests/Kills/KillKind.swift: life 1
        Tests/EndToEndTests/NeighbourTests.swift: told 2
        Tests/EndToEndTests/PinholeTests.swift: patience 4
        Tests/EndToEndTests/ScriptTests.swift: patience 3
        Tests/EventLoopTests/EdgeTests.swift: say 7, told 11
        Tests/EventLoopTests/EventLoopTests.swift: heard 4
        Tests/ExpectationTests/ChanceOfLossTests.swift: chance 2
        Tests/ExpectationTests/TrafficExpectationTests.swift: chance 2
        Tests/HostSideTests/HTTP/EdgeSocketTests.swift: say 4
        Tests/HostSideTests/HTTP/HandDriven.swift: say 1
        Tests/HostSideTests/HTTP/HandDrivenTests.swift: say 3
        Tests/ImpairmentTests/ChanceTests.swift: chance 1
        Tests/MeasurementTests/FlowMeterTests.swift: patience 6
        Tests/Mutants/Mutant+Declaration.swift: tells 3
        Tests/NetlinkTests/RouteMonitorTests.swift: told 4
        Tests/PacketIOTests/BoxRunnerTests.swift: said 9, tells 4, told 14
        Tests/PacketIOTests/PortForwarder.swift: tells 5
        Tests/RedundancyTests/ConfigurationSync/AgreementPair.swift: told 2
        Tests/RedundancyTests/ConfigurationSync/ConfigurationAgreementTests.swift: told 4
        Tests/RedundancyTests/PairSimulationTests.swift: hear 2
        Tests/RedundancyTests/VirtualRouterTests.swift: heard 3
        Tests/ReportTests/VerdictTests.swift: judged 2
        Tests/TopologyTests/CrowdLabTests.swift: told 3
        Tests/TopologyTests/FTPLabTests.swift: told 4
        Tests/TopologyTests/NATPushLabTests.swift: told 8
        Tests/TopologyTests/PolicyLabTests.swift: told 3
        Tests/TopologyTests/PolicyRoutingTests.swift: chance 2
        Tests/TopologyTests/ProgramTests.swift: ways 1
        Tests/TopologyTests/SeedTests.swift: chance 5
        Tests/TrafficTests/CrowdTrafficTests.swift: crowd 11, patience 5
        Tests/TrafficTests/DatagramTrafficTests.swift: patience 2
        Tests/TrafficTests/FTPTrafficTests.swift: patience 5, say 6
        Tests/TrafficTests/HTTPTrafficTests.swift: patience 4
        Tests/TrafficTests/LoopbackBench.swift: crowd 2, patience 2
        Tests/TrafficTests/StreamTrafficTests.swift: patience 2
        """
}
