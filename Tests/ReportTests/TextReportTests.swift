import Evidence
import LabTime
import Report
import Testing

struct TextReportTests {
    @Test func `the text report, line by line`() {
        let text = TextReport(folder: "runs/fast-path-mac-failover/latest").text(SampleVerdict.lab)
        #expect(text == Self.golden)
    }

    @Test func `colour adds nothing but colour`() {
        let colored = TextReport(color: .color).text(SampleVerdict.lab)
        #expect(colored.contains("\u{1b}[31m✘"))
        #expect(colored.replacing(/\u{1b}\[[0-9]+m/, with: "") == TextReport().text(SampleVerdict.lab))
    }

    @Test func `no line ends in a space, and sentences stay within the width`() {
        for line in TextReport(width: 60).text(SampleVerdict.lab).split(
            separator: "\n", omittingEmptySubsequences: false)
        {
            #expect(line.last != " ", "\(line)")
            if line.contains("seen ") { #expect(line.count <= 60, "\(line)") }
        }
    }

    @Test func `what files left out for their limits is reported with its place, in the text and in verdict json`()
        throws
    {
        var evidence = RunEvidence(events: [], traffic: [], captures: [], source: SampleVerdict.NoFrames())
        evidence.fileGaps = [
            FileGap(path: "logs/lb.bird.log", offset: 4_194_304, bytes: 559_939_584, lines: 34_996_224),
            FileGap(path: "events.jsonl", offset: 100, bytes: 90, lines: 1),
        ]
        let variant = VariantVerdict(name: "v", shows: "control", seconds: 1, evidence: evidence, results: [])
        let text = TextReport(width: 200).text(variant)
        #expect(
            text.contains(
                """

                  logs/lb.bird.log: 559939584 bytes (34996224 lines) left out after the first 4194304 because of its limit
                  events.jsonl: 90 bytes (1 line) left out after the first 100 because of its limit

                """), "\(text)")
        let verdict = Verdict(lab: "x", variants: [variant])
        #expect(try Verdict(json: verdict.json()).variants[0].leftOut == evidence.fileGaps)
        #expect(try !Verdict(lab: "x", variants: []).json().contains("leftOut"))
    }

    @Test func `a variant that did not run gives the reason`() {
        let text = TextReport().text(
            Verdict(
                lab: "x",
                variants: [VariantVerdict(name: "v", shows: "remedy", seconds: 0.5, problem: "fw-a died: signal 11")]))
        #expect(text.contains("? v  remedy not decided  0.5 s\n  did not finish: fw-a died: signal 11\n"))
        #expect(text.hasSuffix("x: inconclusive (not finished: v)\n"))
    }

    @Test func `a remedy stands on lines of its own, each wrapped below its words`() {
        let problem =
            "it took longer than 2 s\n  → raise the limit with --timeout, or find out which of its steps waits for what never comes"
        let text = TextReport(width: 60).text(VariantVerdict(name: "v", shows: "remedy", seconds: 2, problem: problem))
        #expect(
            text == """
                ? v  remedy not decided  2.0 s
                  did not finish: it took longer than 2 s
                                  → raise the limit with --timeout, or find
                                    out which of its steps waits for what
                                    never comes

                """)
    }

    @Test func `each repetition has its number, its folder and its seed`() {
        let evidence = RunEvidence(
            events: [], traffic: [],
            captures: [CaptureSummary(node: "lb", interface: "a", path: "captures/lb.a.pcap", frames: 1, dropped: 0)],
            source: SampleVerdict.NoFrames())
        let text = TextReport(folder: "runs/x").text(
            VariantVerdict(
                name: "v", repetition: 2, shows: "remedy", seconds: 2, evidence: evidence, results: [], seed: 7))
        #expect(text.hasPrefix("? v #2  remedy not decided"))
        #expect(text.contains("runs/x/2/v/captures"))
        #expect(text.contains("random faults used seed 7; repeat with --seed 7"))
    }

    @Test func `lost frames are reported with their times`() {
        let start = Timestamp("2026-11-21T08:30:00.123Z")!
        let capture = CaptureSummary(
            node: "lb", interface: "a", path: "captures/lb.a.pcap", frames: 95, dropped: 5,
            losses: [
                CaptureLoss(from: start, to: start + .milliseconds(20), frames: 5),
                CaptureLoss(from: start + .seconds(1), to: start + .seconds(2), frames: nil),
            ])
        let evidence = RunEvidence(events: [], traffic: [], captures: [capture], source: SampleVerdict.NoFrames())
        let text = TextReport().text(
            VariantVerdict(name: "v", shows: "remedy", seconds: 2, evidence: evidence, results: []))
        #expect(
            text.contains(
                "captures/lb.a.pcap: 5 dropped of 100: from 08:30:00.123 to 08:30:00.143, an unknown number from 08:30:01.123 to 08:30:02.123\n"
            ), "\(text)")
    }

    @Test func `when all went as expected the report states what was proven`() {
        let summary = TextReport().summary(
            Verdict(lab: "x", variants: [SampleVerdict.symptom, SampleVerdict.symptom]))
        #expect(summary.hasSuffix("x: pass (2 symptoms reproduced)\n"))
    }

    private static let golden = """
        fast-path-mac-failover: Existing connections time out

        ✔ tcp-fast-path  symptom reproduced  4.1 s

          event                time  what        where
          failover     08:30:00.123  switchover  fw-a
          fw-b.active      +0.012 s  active      fw-b

          traffic   kind         flows  outcome    sent  received  lost  longest gap
          existing  tcp-stream       1  timed-out   250        50   200  ≥ 2.012 s, never ended
          new       tcp-connect      2  survived      2         2     0  52 ms ± 50 ms
          new: Sent = 2, Received = 2, Lost = 0 (0% loss), Minimum = 0.00ms, Maximum = 0.00ms, Average = 0.00ms
          new: 2 probes were sent late because the machine was busy

          ✔ every flow of existing times out  [existing-timed-out]
              1 of 1 flow timed-out
              captures/client.outside.pcap #812 at +0.734 s after failover (last to the server)

          1 capture, 1234 frames, none dropped, in runs/fast-path-mac-failover/latest/tcp-fast-path/captures

        ✘ virtual-mac  remedy not as expected  3.9 s

          ✘ expected every frame on lb.inside that matches 'tcp' after failover has
                     eth.dst = 00:00:5e:00:01:0a  [to-virtual-mac]
              seen       1 of 2 frames does not: in #7 eth.dst is 02:00:00:00:00:0a <&> "old"
              frame      captures/lb.inside.pcap #7 at +0.005 s after failover
                         2026-11-21T08:30:00.128456789Z
                         a → b
              Wireshark  tcp && !(eth.dst == 00:00:5e:00:01:0a)
          ? expected no frame on lb.inside  [quiet]
              seen       no such frame; but captures/lb.inside.pcap lacks 5 frames that the kernel dropped
              nearest    captures/lb.inside.pcap #3 at 2026-11-21T08:30:00.118456789Z

          1 capture, 95 frames, DROPPED, in runs/fast-path-mac-failover/latest/virtual-mac/captures
            captures/lb.inside.pcap: 5 dropped of 100

        variant        shows    existing   new       longest gap  seconds  verdict
        tcp-fast-path  symptom  timed-out  survived  never ended      4.1  ✔ pass
        virtual-mac    remedy   –          –         –                3.9  ✘ fail

        fast-path-mac-failover: fail (not as expected: virtual-mac)

        """
}
