import Evidence
import Expectation
@testable import Integrity
import LabTime
import Testing
import Wire

@Suite("Examination of evidence")
struct ExaminationTests {
    @Test func `sound evidence has no finding`() {
        let report = SampleEvidence().report
        #expect(report.findings == [])
        #expect(report.verdict == .pass)
        #expect(report.captures == 4 && report.frames == 40 && report.cables == 2)
    }

    @Test func `reading in pieces of any size finds the same`() {
        let bytes = SampleEvidence.pcap(SampleEvidence().frames["fw.lan"]!)
        for size in [1, 2, 15, 16, 17, 61, 1000] {
            var scan = CaptureScan()
            var rest = bytes[...]
            while !rest.isEmpty {
                Array(rest.prefix(size)).withUnsafeBytes { scan.consume($0) }
                rest = rest.dropFirst(size)
            }
            scan.finish()
            #expect(scan.frames == 10 && scan.problem == nil, "pieces of \(size)")
        }
    }

    // MARK: The file

    @Test func `more frames and fewer frames than the run captured are damage`() {
        for count in [9, 11] {
            var evidence = SampleEvidence()
            evidence.counts["fw.lan"] = count
            #expect(evidence.kinds == [.frameCount])
            #expect(evidence.report.verdict == .inconclusive)
        }
    }

    @Test func `frames that a limit left out leave everything in doubt, and their cable uncompared`() {
        var evidence = SampleEvidence()
        evidence.leftOut["fw.lan"] = 7
        // What a broken box does beside it decides nothing either.
        evidence.frames["fw.lan"]!.removeLast(3)
        let report = evidence.report
        #expect(report.findings.map(\.kind) == [.captureLimit] && report.findings[0].count == 7)
        #expect(report.findings[0].file == "captures/fw.lan.pcap")
        #expect(report.verdict == .inconclusive)
        #expect(report.cables == 1 && report.unexamined.contains { $0.contains("captures/fw.lan.pcap") })
    }

    @Test func `another resolution, link type or format, and a record cut short are damage`() {
        let frames = SampleEvidence().frames["fw.lan"]!
        let whole = SampleEvidence.pcap(frames)
        for bytes in [
            SampleEvidence.pcap(frames, magic: 0xa1b2_c3d4), SampleEvidence.pcap(frames, linkType: 101),
            SampleEvidence.pcap(frames, magic: 0x0a0d_0d0a), Array(whole.dropLast()), Array(whole.prefix(10)), [],
            whole + [0],
        ] {
            var evidence = SampleEvidence()
            evidence.raw["fw.lan"] = bytes
            #expect(evidence.kinds == [.changedFile])
        }
    }

    @Test func `a capture that is cut or changed anywhere never crashes the examination`() {
        let whole = SampleEvidence.pcap(SampleEvidence().frames["fw.lan"]!)
        var generator = SystemRandomNumberGenerator()
        for length in 0..<whole.count {
            var evidence = SampleEvidence()
            var bytes = Array(whole.prefix(length))
            if length % 2 == 0, !bytes.isEmpty {
                bytes[Int.random(in: bytes.indices, using: &generator)] ^= UInt8.random(in: 1...255, using: &generator)
            }
            evidence.raw["fw.lan"] = bytes
            #expect(evidence.report.verdict != .pass, "length \(length)")
        }
    }

    @Test func `frames outside the run's time and times that run backwards are damage`() {
        var early = SampleEvidence()
        early.change(["client.lan", "fw.lan", "fw.wan", "server.wan"]) {
            for index in $0.indices { $0[index].at -= 1e8 }
        }
        #expect(Set(early.kinds) == [.time])
        var backwards = SampleEvidence()
        backwards.change { $0.reverse() }
        #expect(backwards.kinds.contains(.time))
    }

    @Test func `a capture that the lab has and the run does not list is missing`() {
        var evidence = SampleEvidence()
        evidence.stations.points.append(.init(node: "fw", interface: "sync"))
        #expect(evidence.report.verdict != .pass || evidence.frames["fw.sync"] == nil)
        let report = IntegrityExamination(
            stations: evidence.stations, captures: [], span: nil, play: nil, ownEvents: [], records: nil,
            clockStep: nil, events: [], flowTimes: [], files: MemoryFiles()
        ).report()
        #expect(report.findings.map(\.kind) == Array(repeating: .missingFile, count: 5))
        #expect(report.unexamined.count == 1)
    }

    @Test func `an event of the scenario that is missing is damage, and so is a step of the wall clock`() {
        var evidence = SampleEvidence()
        evidence.events = ["udp.start"]
        #expect(evidence.kinds == [.changedFile])
        evidence = SampleEvidence()
        evidence.clockStep = .milliseconds(-20)
        #expect(evidence.kinds == [.clock])
    }

    @Test func `events that a run left out for its limit are no damage, and what that leaves open is reported`() {
        let gap = RecordGap(
            from: SampleEvidence.start + .seconds(2), to: SampleEvidence.start + .seconds(3), count: 7)
        func report(_ events: [LabEvent]) -> IntegrityReport {
            IntegrityExamination(
                stations: LabStations(
                    points: [], cables: [], boxes: [], addresses: nil, hosts: [], mayCorrupt: false, mayDuplicate: false
                ),
                captures: [], span: SampleEvidence.start...(SampleEvidence.start + .seconds(10)), play: nil,
                ownEvents: ["failover"], records: [], clockStep: nil, events: events, flowTimes: [],
                files: MemoryFiles()
            ).report()
        }
        #expect(report([]).findings.map(\.kind) == [.changedFile])
        let left = report([LabEvent(leftOut: gap)])
        #expect(left.verdict == .pass && left.findings.isEmpty)
        #expect(left.unexamined.count == 1 && left.unexamined[0].hasPrefix("7 events are missing since "))
    }

    @Test func `a file is what the run recorded of it, or it is damaged`() {
        let text = Array("one\ntwo\n".utf8)
        let record = FileRecord(
            path: "events.jsonl", bytes: text.count, lines: 2, digest: EvidenceDigest(of: text).text)
        func report(_ bytes: [UInt8]?, _ record: FileRecord) -> IntegrityReport {
            IntegrityExamination(
                stations: LabStations(
                    points: [], cables: [], boxes: [], addresses: nil, hosts: [], mayCorrupt: false, mayDuplicate: false
                ),
                captures: [], span: nil, play: nil, ownEvents: [], records: [record], clockStep: nil, events: [],
                flowTimes: [], files: MemoryFiles(files: bytes.map { [record.path: $0] } ?? [:])
            ).report()
        }
        #expect(report(text, record).findings == [])
        #expect(report(nil, record).findings.map(\.kind) == [.missingFile])
        for changed in [[], Array("one\n".utf8), Array("one\ntwp\n".utf8), text + text] {
            #expect(report(changed, record).findings.map(\.kind) == [.changedFile])
        }
        // A node may log one more request while its lab is taken down.
        var log = record
        log.path = "logs/lb.access.jsonl"
        #expect(report(text + Array("three\n".utf8), log).findings == [])
        #expect(report(Array("one\n".utf8), log).findings.map(\.kind) == [.changedFile])
    }

    // MARK: Captures against each other

    @Test func `a frame that one end of a cable has and the other has not is damage`() {
        for capture in ["client.lan", "fw.lan"] {
            for number in [0, 5, 9] {
                var evidence = SampleEvidence()
                evidence.change([capture]) { $0.remove(at: number) }
                #expect(evidence.kinds.contains(.cable), "\(capture) without \(number)")
                #expect(evidence.report.verdict == .inconclusive)
            }
        }
    }

    @Test func `frames that a link took away while it was down are no damage`() {
        var evidence = SampleEvidence()
        evidence.change(["fw.lan", "fw.wan", "server.wan"]) { $0.removeLast() }
        evidence.stations.cables[0].downTimes = [
            (SampleEvidence.start + .milliseconds(1850))...(SampleEvidence.start + .seconds(5))
        ]
        #expect(evidence.kinds == [])
    }

    @Test(arguments: [100.0, -600, 3, -3])
    func `a capture whose clock differs from that of its cable's other end is damage`(milliseconds: Double) {
        var evidence = SampleEvidence()
        evidence.change(["client.lan"]) { for index in $0.indices { $0[index].at += milliseconds } }
        // Of a cable on which one end alone speaks, an early stamp may be a late frame.
        #expect(evidence.kinds.contains(.clock) == (milliseconds != -3))
        #expect(evidence.report.verdict == (milliseconds == -3 ? .pass : .inconclusive))
    }

    @Test func `captures that were swapped are damage`() {
        var ends = SampleEvidence()
        (ends.frames["client.lan"], ends.frames["fw.lan"]) = (ends.frames["fw.lan"], ends.frames["client.lan"])
        #expect(ends.kinds.contains(.clock))
        var sides = SampleEvidence()
        (sides.frames["fw.wan"], sides.frames["fw.lan"]) = (sides.frames["fw.lan"], sides.frames["fw.wan"])
        #expect(sides.report.verdict == .inconclusive)
    }

    // MARK: Frames

    @Test func `every byte of a packet is under a checksum, and a wrong one is found`() {
        let whole = SampleEvidence().frames["fw.lan"]![3].bytes
        for offset in 14..<whole.count {
            var evidence = SampleEvidence()
            // Lengths and the protocol say what is read at all; a checksum of 0 is none.
            if [16, 17, 20, 21, 23, 38, 39].contains(offset) { continue }
            evidence.change { $0[3].bytes[offset] ^= 0x01 }
            let isOfVersion = offset == 14
            #expect(isOfVersion || evidence.kinds.contains(.checksum), "byte \(offset)")
            #expect(isOfVersion || evidence.report.verdict == .fail)
        }
        var faulty = SampleEvidence()
        faulty.stations.mayCorrupt = true
        faulty.change { $0[3].bytes[45] ^= 1 }
        #expect(!faulty.kinds.contains(.checksum))
    }

    @Test func `a UDP packet of IPv4 without a checksum is sound`() {
        var evidence = SampleEvidence()
        evidence.change(["client.lan", "fw.lan", "fw.wan", "server.wan"]) { frames in
            frames[2].bytes[40] = 0
            frames[2].bytes[41] = 0
        }
        #expect(evidence.kinds == [])
    }

    @Test func `a packet that a box sends twice fails the variant, and one that a link may double does not`() {
        var evidence = SampleEvidence()
        evidence.change(["fw.wan", "server.wan"]) { frames in
            var again = frames[4]
            again.at += 0.01
            frames.insert(again, at: 5)
        }
        #expect(Set(evidence.kinds) == [.doubled])
        #expect(evidence.report.verdict == .fail)
        evidence.stations.mayDuplicate = true
        #expect(evidence.kinds == [])
    }

    @Test func `a station that the lab does not have fails the variant, by its frames and by its ARP`() {
        let stranger = MACAddress(2, 9, 9, 9, 9, 9)
        let head: [UInt8] = [8, 6, 0, 1, 8, 0, 6, 4, 0, 1]
        let tail: [UInt8] = [10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 1]
        let broadcast = [UInt8](repeating: 0xff, count: 6)
        for frame in [
            broadcast + SampleEvidence.mac(stranger) + head + SampleEvidence.mac(SampleEvidence.client) + tail,
            broadcast + SampleEvidence.mac(SampleEvidence.client) + head + SampleEvidence.mac(stranger) + tail,
        ] {
            var evidence = SampleEvidence()
            evidence.change { $0.append(SampleFrame(at: 3000, bytes: frame)) }
            #expect(Set(evidence.kinds) == [.stranger])
            #expect(evidence.report.verdict == .fail)
            evidence.stations.addresses = nil
            #expect(evidence.kinds == [])
        }
    }

    // MARK: Boxes

    @Test func `a packet that enters a box and vanishes uncounted fails the variant`() {
        var evidence = SampleEvidence()
        evidence.change(["fw.wan", "server.wan"]) { $0.remove(at: 5) }
        #expect(evidence.kinds == [.vanished])
        #expect(evidence.report.verdict == .fail)
        evidence.stations.boxes[0].dropped = 1
        #expect(evidence.kinds == [])
        // A box that was powered off left no counters.
        evidence.stations.boxes[0].dropped = nil
        #expect(evidence.kinds == [])
    }

    @Test func `what enters a box at layer 2 leaves it, whichever station it is for`() {
        var evidence = SampleEvidence()
        evidence.change(["fw.wan", "server.wan"]) { $0.remove(at: 5) }
        // To a router these frames are other stations'.
        evidence.stations.boxes[0].addresses = []
        #expect(evidence.kinds == [])
        evidence.stations.boxes[0].forwardsAnyAddress = true
        #expect(evidence.kinds == [.vanished])
        evidence.stations.boxes[0].dropped = 1
        #expect(evidence.kinds == [])
    }

    @Test func `a packet that leaves a box and never entered it fails the variant`() {
        var evidence = SampleEvidence()
        evidence.change(["fw.wan", "server.wan"]) { frames in
            let made = SampleEvidence.udp(
                from: SampleEvidence.right, to: SampleEvidence.server, timeToLive: 63, identification: 99,
                payload: Array("made up".utf8))
            frames.insert(SampleFrame(at: frames[4].at + 1, bytes: made), at: 5)
        }
        #expect(Set(evidence.kinds) == [.invented])
        #expect(evidence.report.verdict == .fail)
    }

    @Test func `what enters one box of a pair may leave the other, and nothing else may`() {
        var evidence = SampleEvidence()
        evidence.givesWan(to: "fw-b")
        #expect(evidence.kinds == [])
        evidence.change(["fw-b.wan", "server.wan"]) { $0.remove(at: 5) }
        #expect(evidence.kinds == [.vanished])
        #expect(evidence.report.findings.first?.what.contains("fw and fw-b") == true)
        evidence = SampleEvidence()
        evidence.givesWan(to: "fw-b")
        evidence.change(["client.lan", "fw.lan"]) { $0.remove(at: 5) }
        #expect(Set(evidence.kinds) == [.invented])
    }

    @Test func `damage weighs more than what boxes did: broken evidence proves no broken box`() {
        var evidence = SampleEvidence()
        evidence.change { $0[3].bytes[45] ^= 1 }
        evidence.counts["server.wan"] = 3
        #expect(Set(evidence.kinds).isSuperset(of: [.frameCount, .checksum]))
        #expect(evidence.report.verdict == .inconclusive)
    }

    @Test func `a capture that lost frames is compared with nothing`() {
        var evidence = SampleEvidence()
        evidence.change(["fw.lan"]) { $0.removeFirst(4) }
        #expect(evidence.kinds.contains(.cable))
    }
}
