import Evidence
import Expectation
import LabTime
import Report
import Testing

@Suite struct `The report for a browser` {
    private let page = try! HTMLReport().text(SampleVerdict.lab)

    @Test func `holds every variant and expectation, and links each frame's capture`() {
        for variant in SampleVerdict.lab.variants {
            #expect(page.contains(variant.name))
            for entry in variant.expectations {
                #expect(page.contains("[\(entry.id)]"))
                for frame in entry.frames {
                    #expect(page.contains("href=\"\(variant.folder)/\(frame.capture)\""))
                    #expect(page.contains("#\(frame.number) at "))
                }
            }
        }
        #expect(page.contains("Wireshark: <code>"))
    }

    @Test func `needs nothing from anywhere else`() {
        for outside in ["http://", "https://", "<script", "<link", "@import", "url("] {
            #expect(!page.contains(outside), "\(outside)")
        }
    }

    @Test func `opens what did not pass, and leaves the rest closed`() {
        let verdicts = SampleVerdict.lab.variants.flatMap(\.expectations).map(\.verdict)
        #expect(page.split(separator: "<details open>").count - 1 == verdicts.count { $0 != .pass })
    }

    @Test func `leaves nothing of its template, and closes what it opens`() {
        #expect(!page.contains("{{") && !page.contains("}}"))
        for element in [
            "section", "details", "table", "svg", "g", "div", "span", "summary", "code", "tr", "td", "title",
        ] {
            let opened =
                page.split(separator: "<\(element)>", omittingEmptySubsequences: false).count
                + page.split(separator: "<\(element) ", omittingEmptySubsequences: false).count - 2
            let closed = page.split(separator: "</\(element)>", omittingEmptySubsequences: false).count - 1
            #expect(opened == closed, "\(element)")
        }
    }

    @Test func `escapes what a lab contains`() throws {
        let evil = "<script>alert(\"1\")</script>"
        let page = try HTMLReport().text(
            Verdict(
                lab: "x", title: evil,
                variants: [
                    VariantVerdict(name: "v", repetition: 2, shows: "remedy", seconds: 1, problem: evil, seed: 7)
                ]))
        #expect(!page.contains("<script>"))
        #expect(page.contains("&lt;script&gt;"))
        #expect(page.contains("v #2") && page.contains("--seed 7"))
    }

    @Test func `draws events, traffic and its gap on one axis`() throws {
        let begin = Timestamp("2026-11-21T08:30:00Z")!
        let evidence = RunEvidence(
            events: [
                LabEvent(name: "fw-b.ready", time: begin - .seconds(1), kind: "ready", node: "fw-b"),
                LabEvent(name: "failover", time: begin, kind: "switchover", node: "fw-a"),
                LabEvent(name: "fw-b.active", time: begin + .seconds(1), kind: "active", node: "fw-b"),
                LabEvent(name: "last", time: begin + .seconds(4), kind: "link-up", node: "fw-a"),
            ], traffic: [], captures: [], source: SampleVerdict.NoFrames())
        let page = try HTMLReport().text(
            Verdict(
                lab: "x",
                variants: [VariantVerdict(name: "v", shows: "remedy", seconds: 1, evidence: evidence, results: [])]))
        // 150 is the axis's begin, and 800 its length.
        for (x, label) in [(150, "failover"), (350, "active"), (950, "last")] {
            #expect(page.contains("cx=\"\(x)\""), "\(label)")
            #expect(page.contains(">\(label)</text>"), "\(label)")
        }
        // What came before the scenario is the lab's coming up.
        #expect(!page.contains(">ready</text>"))
        #expect(page.contains(">+4.000 s</text>"))
    }
}
