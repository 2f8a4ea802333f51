import Configuration
import Evidence
@testable import Expectation
import Foundation
import LabEvents
import LabFile
import LabTime
import Measurement
import TestSupport
import Testing
import Topology

extension ShippedLabs {
    /// What the shipped labs expect says something: each variant is proven by its own evidence alone, and each
    /// expectation can fail. All of it looks at the one run of each lab that the suite makes anyway.
    @Suite struct CatalogueEvidence {
        struct Shipped: Sendable, CustomTestStringConvertible {
            /// Its folder below `Labs`.
            var lab: String
            /// Programs of Debian's that it runs and this host lacks.
            var lacks: [String] = []
            var testDescription: String { lab }

            func areAlike(_ a: String, _ b: String) -> Bool {
                alike.contains { $0.lab == lab && $0.variants.isSuperset(of: [a, b]) }
            }
        }

        /// Variants whose evidence is each other's, and why.
        private static let alike: [(lab: String, variants: Set<String>, why: String)] = [
            (
                "active-passive-internet-access",
                ["embryonic-syn-ack-at-passive", "embryonic-syn-ack-at-passive-defer"],
                "row 1 is harmless with and without defer, in the same frames"
            ),
            (
                "direct-server-return", ["ipip-tcp", "monitor-through-the-tunnel", "rp-filter-loose"],
                "the same lab looked at for its monitor, and a member whose filter is cured: it does what a member does that has none"
            ),
            (
                "direct-server-return", ["ipv6-tunnel-tcp", "ipv6-monitor-through-the-tunnel"],
                "the same lab looked at for its monitor"
            ),
            (
                "direct-server-return", ["l2-tcp", "rp-filter-strict-l2"],
                "at layer 2 the filter drops nothing, which is what is shown"
            ),
            (
                "direct-server-return", ["rp-filter-strict", "rp-filter-loose-without-address"],
                "without an address on the tunnel Linux filters as strictly, which is what is shown"
            ),
            (
                "load-balancer-hairpin", ["loopback-vip-only", "loopback-vip-dsr-only"],
                "the monitor is refused in the same frames, and with the member out no client's packet goes either way"
            ),
        ]

        /// Every lab of the catalogue: one without a test of its own is run and examined, too.
        static let labs = LabCatalogue(folder: Package.root + "/Labs").entries.map { entry in
            // A file that cannot be read fails where it is run.
            let variants = (try? Topology.Lab(path: entry.path))?.variants ?? []
            let programs = variants.flatMap(\.nodes).flatMap(\.programs)
            let clients = variants.flatMap(\.traffic).compactMap { $0.options(of: CommandTraffic.self)?.command }
            let lines =
                programs.map(\.command) + programs.flatMap(\.counters).map(\.command) + clients
                + variants.flatMap(\.stepCommands).map(\.words)
            let commands = Set(lines.compactMap { $0.first?.split(separator: "/").last.map(String.init) })
            let files = Set(programs.flatMap(\.executables)).filter {
                !FileManager.default.isExecutableFile(atPath: $0)
            }
            return Shipped(
                lab: entry.name, lacks: commands.filter { Package.tool($0) == nil }.sorted() + files.sorted())
        }
        static let here = labs.filter(\.lacks.isEmpty)

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"), arguments: here)
        func `every variant passes`(shipped: Shipped) throws {
            let run = try CatalogueRun.of(shipped.lab)
            #expect(run.result.status == 0, "\(run.result.output)\n\(run.result.errors)")
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"), arguments: here)
        func `no symptom and no remedy is proven by another variant's evidence`(shipped: Shipped) async throws {
            let variants = try CatalogueRun.of(shipped.lab).variants()
            try await forEachConcurrently(variants.filter { $0.variant.shows != .control }) { variant, _ in
                // What costs least first: most pairs are told apart by an event.
                let expectations = variant.expectations.sorted { $0.subject.cost < $1.subject.cost }
                for (other, evidence) in variants where other.name != variant.name {
                    guard !shipped.areAlike(variant.name, other.name) else { continue }
                    let evaluator = ExpectationEvaluator(evidence)
                    let isDistinguished = expectations.contains { evaluator.evaluate($0).verdict != .pass }
                    #expect(isDistinguished, "\(variant.name) is proven by what \(other.name) left behind")
                }
            }
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"), arguments: here)
        func `every event and every counter is declared`(shipped: Shipped) throws {
            for (variant, evidence) in try CatalogueRun.of(shipped.lab).variants() {
                #expect(!evidence.events.isEmpty && !evidence.counters.isEmpty)
                var problems: Set<String> = []
                for var event in evidence.events {
                    // Groups of a lab's own pattern.
                    if event.isOf(.output) {
                        event.details = event.details.filter {
                            EventDetail(rawValue: $0.key) == .program || $0.key == EventDetail.line.rawValue
                        }
                    }
                    let details = event.details.reduce(into: EventDetails()) { known, detail in
                        if let key = EventDetail(rawValue: detail.key) { known[key] = detail.value }
                    }
                    guard let kind = EventKind(rawValue: event.kind), details.count == event.details.count
                    else {
                        problems.insert("\(event.name): \(event.kind) \(event.details)")
                        continue
                    }
                    let refusals = EventReporter.allCases.map { kind.problem(with: details, from: $0) }
                    if !refusals.contains(nil) { problems.insert("\(event.name): \(refusals.compactMap(\.self))") }
                }
                for node in variant.processes {
                    let scope = node.counterScope
                    for name in (evidence.counters[node.name] ?? [:]).keys where !scope.contains(name) {
                        problems.insert("\(node.name) counts \(name)")
                    }
                }
                #expect(problems.isEmpty, "\(variant.name)")
            }
        }

        /// Absences that no frame of any variant breaks, wherever it is moved, with what would.
        private static let brokenByNoVariant = [
            "nobody-broadcasts-unasked": "a box that sends a broadcast of its own: the mutant strays-each-200th",
            "none-leaves-it": "a frame that is larger than its link's MTU, which no kernel sends",
            "no-syn-ack-on-the-wire-at-all": "an answer to itself on a cable, which the kernel keeps on lo",
            "those-to-itself-get-no-answer": "an answer to itself on a cable, which the kernel keeps on lo",
            "own-calls-never-leave-the-member": "a call of an own address on a cable, which the kernel keeps on lo",
        ]

        /// Of `every` one byte of one frame is changed: where that only takes the frame out of the selection, the
        /// expectation proves what it selects by. Frames that must not be there are there in another variant, or are
        /// moved there from another place or time of the same run. Of everything else, the tests of expectations show
        /// that it fails where what it asks for is missing.
        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"), arguments: here)
        func `every expectation of frames can fail`(shipped: Shipped) throws {
            let variants = try CatalogueRun.of(shipped.lab).variants()
            var seen: Set<ExpectationSpecification> = []
            for (variant, evidence) in variants {
                for expectation in variant.expectations where seen.insert(expectation).inserted {
                    guard let frames = expectation.subject.value as? FrameExpectation else { continue }
                    let name = "\(variant.name): \(expectation.subject.sentence) [\(expectation.id)]"
                    switch frames.requirement {
                    case .every:
                        #expect(try SingleChange.breaks(expectation, frames, in: evidence), "no byte breaks \(name)")
                    case .none, .count:
                        guard expectation.subject.canBeBorneOutByAbsence,
                            Self.brokenByNoVariant[expectation.id] == nil
                        else { continue }
                        let isBroken =
                            try variants.contains { other in
                                other.variant.name != variant.name
                                    && ExpectationEvaluator(other.evidence).evaluate(expectation).verdict == .fail
                            } || SingleChange.movingFramesBreaks(expectation, frames, in: evidence)
                        #expect(isBroken, "nothing breaks \(name)")
                    case .some, .first, .sequence: break
                    }
                }
            }
        }

        @Test(
            .enabled(if: Host.canRunLabs, "this host cannot run labs"),
            .enabled(if: TShark.path != nil, "tshark is not installed"), arguments: here)
        func `Wireshark finds no bad frame in what the boxes sent`(shipped: Shipped) async throws {
            let run = try CatalogueRun.of(shipped.lab)
            // A TCP segment that an ICMP error quotes is cut off, and tshark sums it up all the same.
            let filter = "(\(TShark.badFrames)) and not ((icmp or icmpv6) and tcp)"
            // Of one variant at a time: labs give the same addresses to every variant.
            let captures = try run.variants().map { variant, evidence in
                // What passed a box, and what came out of a tunnel; all else is the kernel's.
                let files = evidence.captures.filter {
                    variant.node(named: $0.node)?.isBox == true || $0.interface == MemberTunnel.interface
                }.map { "\(run.path)/\(variant.name)/\($0.path)" }
                return (variant: variant.name, files: files)
            }.filter { !$0.files.isEmpty }
            let hasBox = try run.variants().contains { variant, _ in
                variant.nodes.contains { $0.isBox || $0.tunnel != nil }
            }
            #expect(!captures.isEmpty || !hasBox, "no capture of a box")
            try await forEachConcurrently(captures) { variant, files in
                let bad = try TShark.frames(ofAll: files, matching: filter)
                #expect(bad.isEmpty, "\(variant): \(bad.prefix(10))")
            }
        }

        // MARK: Broken on purpose

        struct Broken: Sendable, CustomTestStringConvertible {
            var lab: String
            var variant: String
            var change: (old: String, new: String)
            var testDescription: String { "\(lab), \(variant)" }
        }

        static let broken = [
            Broken(
                lab: "fast-path-mac-failover", variant: "virtual-mac-udp-fast-path",
                change: ("virtual-mac: on", "virtual-mac: off")),
            Broken(
                lab: "active-passive-internet-access", variant: "device-failure",
                change: ("internet: { addresses: wan.virtual-ip }", "internet: { addresses: wan.ip }")),
            Broken(
                lab: "intermittent-502", variant: "snat-pool",
                change: ("snat-pool: [10.0.0.21, 10.0.0.22, 10.0.0.23, 10.0.0.24]", "snat-pool: [10.0.0.21]")),
            Broken(lab: "ipv6-path-mtu", variant: "passed", change: ("armed: off", "armed: on")),
            Broken(
                lab: "direct-server-return", variant: "l2-udp", change: ("all.arp_ignore: 1", "all.arp_ignore: 0")),
            Broken(
                lab: "direct-server-return-balancers", variant: "active-active",
                change: (
                    "        dsr: { mode: ipip }\n",
                    "        dsr: { mode: ipip, any-scheduler: on }\n        scheduler: round-robin\n"
                )),
            Broken(
                lab: "load-balancer-hairpin", variant: "source-translation",
                change: ("{ snat: hairpin }", "{ snat: off }")),
            Broken(
                lab: "switching/mac-table-overflow", variant: "large-table",
                change: ("mac-table: 1024", "mac-table: 1")),
            Broken(lab: "vrrp/keepalived-pair", variant: "announced-again", change: ("delay: 1s", "delay: 5s")),
            Broken(lab: "clients/idle-timeout", variant: "keepalive", change: ("idle: 1s", "idle: 60s")),
            Broken(
                lab: "clients/dead-peer", variant: "user-timeout",
                change: (#"["backend-1:7", "backend-2:7"]"#, #"["backend-2:7", "backend-1:7"]"#)),
            Broken(lab: "clients/keep-alive-race", variant: "retry", change: ("retry: 1", "retry: 0")),
            Broken(
                lab: "clients/dns-race", variant: "one-server",
                change: ("jhash ip saddr mod 2 seed 1", "numgen inc mod 2")),
            Broken(lab: "clients/happy-eyeballs", variant: "happy-eyeballs", change: ("*delay, 200", "*delay, 3000")),
            Broken(lab: "vrrp/keepalived-ipv6", variant: "advertised-again", change: ("delay: 1s", "delay: 5s")),
            Broken(
                lab: "routing/bfd-flaps", variant: "longer-detection", change: ("detect: 2400ms", "detect: 300ms")),
            Broken(lab: "hosts/strict-arp", variant: "strict", change: ("arp_ignore: 1", "arp_ignore: 0")),
            Broken(
                lab: "software/graceful-termination", variant: "taken-out-first",
                change: ("- wait-for: lb.member-down\n        - wait: 100ms", "- wait: 10ms")),
            Broken(lab: "vrrp/keepalived-haproxy", variant: "checked", change: ("127.0.0.1/80", "10.0.0.11/7")),
            Broken(
                lab: "vrrp/keepalived-conntrackd", variant: "dropped-until-committed",
                change: ("refused drop", "refused accept")),
            Broken(
                lab: "vrrp/loser-announces", variant: "winner-announces",
                change: (
                    "priority: 200, interval: 100ms,",
                    "priority: 200, interval: 100ms, announcements: { lower-priority-repeat: 0 },"
                )),
        ]

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"), arguments: broken)
        func `a lab that is broken on purpose is caught`(broken: Broken) throws {
            let folder = try TemporaryFolder()
            // With the files beside it.
            let path = folder.path + "/lab"
            try FileManager.default.copyItem(atPath: Package.root + "/Labs/\(broken.lab)", toPath: path)
            var text = try String(contentsOfFile: path + "/lab.yaml", encoding: .utf8)
            #expect(text.contains(broken.change.old), "the lab file no longer has '\(broken.change.old)'")
            text = text.replacingOccurrences(of: broken.change.old, with: broken.change.new)
            try text.write(toFile: path + "/lab.yaml", atomically: true, encoding: .utf8)
            let result = try Lab.failoverlab(
                ["run", path, "--variant", broken.variant] + Lab.untilDecided, in: folder)
            #expect(result.status == 1, "\(result.output)\n\(result.errors)")
            #expect(result.output.contains("✘"), "\(result.output)")
        }

        /// fw-2 was master for a moment, as it is where it starts before fw-1. What its late script was to do for that
        /// must not be done at the crash.
        @Test(
            .enabled(if: Host.canRunLabs, "this host cannot run labs"),
            .enabled(
                if: ["keepalived", "conntrackd", "nft"].allSatisfy { Package.tool($0) != nil }, "programs are missing"))
        func `a lab's verdict does not depend on who was master first`() throws {
            let folder = try TemporaryFolder()
            var text = try String(
                contentsOfFile: Package.root + "/Labs/vrrp/keepalived-conntrackd/lab.yaml", encoding: .utf8)
            let start = """
                scenario:
                  - start: [in, out]
                  - { wait-for:
                """
            #expect(text.contains(start), "the lab file no longer has '\(start)'")
            text = text.replacingOccurrences(
                of: start,
                with: """
                    scenario:
                      - { fail: { hang: fw-1 }, as: early }
                      - wait-for: fw-2/keepalived.master
                      - { fail: { resume: fw-1 }, as: preempts }
                      - wait-for: fw-2/keepalived.backup
                      - start: [in, out]
                      - { wait-for:
                    """)
            try text.write(toFile: folder.path + "/lab.yaml", atomically: true, encoding: .utf8)
            let result = try Lab.failoverlab(
                [
                    "run", folder.path + "/lab.yaml", "--variant", "addresses-first", "--variant",
                    "dropped-until-committed",
                ]
                    + Lab.untilDecided, in: folder)
            #expect(result.status == 0, "\(result.output)\n\(result.errors)")
        }

        @Test func `each lab of the catalogue is broken on purpose here`() {
            #expect(Self.labs.count >= 7)
            #expect(Set(Self.broken.map(\.lab)) == Set(Self.labs.map(\.lab)))
        }

        @Test func `evidence that is alike is of labs and variants that there are`() throws {
            for alike in Self.alike {
                let lab = try Topology.Lab(path: Package.root + "/Labs/\(alike.lab)/lab.yaml")
                #expect(Set(lab.variants.map(\.name)).isSuperset(of: alike.variants), "\(alike.lab)")
            }
        }

        private static let lacking = labs.filter { !$0.lacks.isEmpty }.map {
            "\($0.lab) needs \($0.lacks.joined(separator: ", "))"
        }

        @Test(.enabled(if: lacking.isEmpty, Comment(rawValue: "not examined here: \(lacking.joined(separator: "; "))")))
        func `this host has the programs of every lab`() {}
    }
}

extension ExpectationSpecification.Subject {
    fileprivate var cost: Int {
        switch value {
        case is FrameExpectation: 1
        case is TrafficExpectation: 2
        case is MoveExpectation, is CarryExpectation: 3
        default: 0
        }
    }

    /// Whether it is about absence, also where the lab names a control beside it.
    fileprivate var canBeBorneOutByAbsence: Bool {
        guard let frames = value as? FrameExpectation else { return isBorneOutByAbsence }
        return frames.requirement.isBorneOutByAbsence
    }
}

/// Changes of evidence after which an expectation must fail.
private enum SingleChange {
    /// How far into a frame bytes are changed: headers, those of a packet in a tunnel included.
    static let depth = 110

    /// Whether the change of some byte of the first selected frame fails the expectation while others are still
    /// selected.
    static func breaks(
        _ expectation: ExpectationSpecification, _ frames: FrameExpectation, in evidence: RunEvidence
    ) throws -> Bool {
        guard let source = evidence.source as? CapturesInMemory else { return false }
        let shown = ExpectationEvaluator(evidence).evaluate(expectation).frames
        guard let first = shown.first, let summary = evidence.captures.first(where: { $0.path == first.capture }) else {
            return false
        }
        let all = try source.all(of: summary)
        let whole = all.filter { frame in shown.contains { $0.number == frame.number } }
        guard let chosen = whole.first(where: { $0.number == first.number }) else { return false }
        // Only one frame was selected: a twin of it stays in the selection.
        var twin = chosen
        twin.number += 1_000_000
        guard case .every(let checks) = frames.requirement else { return false }
        let fields = checks.compactMap { FrameField($0.field) }
        for offset in 0..<min(depth, chosen.bytes.count) {
            // Flags and small numbers take other values, too.
            for bits in [0x55, 0x10, 0x01, 0x80] as [UInt8] {
                var changed = chosen
                changed.bytes[offset] ^= bits
                // Another value, not a frame that cannot be read any more.
                let reading = FrameReading(changed.bytes)
                guard fields.allSatisfy({ reading.value(of: $0) != nil }) else { continue }
                if evaluate(expectation, [changed, twin], summary, evidence) == .fail { return true }
            }
        }
        return false
    }

    /// Whether the run's own frames, moved into the window and onto the interface, fail the expectation.
    static func movingFramesBreaks(
        _ expectation: ExpectationSpecification, _ frames: FrameExpectation, in evidence: RunEvidence
    ) throws -> Bool {
        guard let source = evidence.source as? CapturesInMemory,
            let summary = evidence.captures.first(where: { $0.node == frames.node && $0.interface == frames.interface }
            ),
            let time = try moment(frames, in: evidence)
        else { return false }
        var moved: [CapturedFrame] = []
        for capture in evidence.captures {
            for var frame in try source.all(of: capture) {
                frame.time = time
                moved.append(frame)
            }
        }
        if evaluate(expectation, moved, summary, evidence) == .fail { return true }
        // What one node says, said by another one of the same link.
        let own = try source.all(of: summary).prefix(5000)
        let headers = Set(own.map { Array($0.bytes.prefix(14)) }).prefix(40)
        let changed = headers.flatMap { header in
            own.filter { $0.bytes.prefix(14).suffix(2) == header.suffix(2) }.map { frame in
                var frame = frame
                frame.bytes.replaceSubrange(0..<14, with: header)
                frame.time = time
                return frame
            }
        }
        return evaluate(expectation, changed, summary, evidence) == .fail
    }

    /// A time within the expectation's window.
    private static func moment(_ frames: FrameExpectation, in evidence: RunEvidence) throws -> Timestamp? {
        var wide = frames
        wide.requirement = .count(.init(.less, 0), [])
        let references = ExpectationEvaluator(evidence).evaluate(
            ExpectationSpecification(id: "x", subject: .frames(wide))
        ).events
        if let after = frames.after, let event = references.first(where: { $0.name == after.event }) {
            return event.time + after.offset + .microseconds(1)
        }
        if let before = frames.before, let event = references.first(where: { $0.name == before.event }) {
            return event.time + before.offset - .microseconds(1)
        }
        return evidence.events.last?.time
    }

    /// Judges by these frames alone, on one capture.
    private static func evaluate(
        _ expectation: ExpectationSpecification, _ frames: [CapturedFrame], _ summary: CaptureSummary,
        _ evidence: RunEvidence
    ) -> ExpectationVerdict {
        var changed = evidence
        var capture = summary
        capture.frames = frames.count
        changed.captures = [capture]
        changed.source = CapturesInMemory([summary.path: frames])
        return ExpectationEvaluator(changed).evaluate(expectation).verdict
    }
}
