import Evidence
import Expectation
import FoundationEssentials
import Report
import Testing

struct VerdictTests {
    @Test func `verdict json is what the contract requires, field by field`() throws {
        let symptom = Verdict(lab: "fast-path-mac-failover", variants: [SampleVerdict.symptom])
        #expect(try symptom.json() == Self.golden)
    }

    @Test func `verdict json reads back as the value that wrote it`() throws {
        #expect(try Verdict(json: try SampleVerdict.lab.json()) == SampleVerdict.lab)
    }

    @Test func `fields that a later version added are ignored`() throws {
        let text = try SampleVerdict.lab.json().replacing("\"lab\" :", with: "\"added\" : [1], \"lab\" :")
        #expect(try Verdict(json: text) == SampleVerdict.lab)
    }

    @Test func `a verdict of another schema is refused with what to do`() throws {
        let text = try SampleVerdict.lab.json().replacing("\"schema\" : 1", with: "\"schema\" : 2")
        let error = #expect(throws: VerdictError.self) { try Verdict(json: text) }
        #expect(error?.description.contains("schema 2") == true)
    }

    @Test func `a lab without variants, and a variant without expectations, have proven nothing`() {
        #expect(Verdict(lab: "x", variants: []).verdict == .inconclusive)
        let evidence = RunEvidence(events: [], traffic: [], captures: [], source: SampleVerdict.NoFrames())
        #expect(
            VariantVerdict(name: "v", shows: "remedy", seconds: 1, evidence: evidence, results: []).verdict
                == .inconclusive)
    }

    @Test(arguments: [
        (ExpectationVerdict.pass, ExpectationVerdict.inconclusive), (.fail, .fail), (.inconclusive, .inconclusive),
    ])
    func `a variant that did not run to its end never passes`(
        combined: ExpectationVerdict, verdict: ExpectationVerdict
    ) {
        let evidence = RunEvidence(events: [], traffic: [], captures: [], source: SampleVerdict.NoFrames())
        let variant = VariantVerdict(
            name: "v", shows: "remedy", seconds: 1, evidence: evidence,
            results: [ExpectationResult(id: "e", verdict: combined, expected: "", seen: "")], problem: "fw-a died")
        #expect(variant.verdict == verdict)
        #expect(VariantVerdict(name: "v", shows: "remedy", seconds: 0, problem: "x").verdict == .inconclusive)
    }

    @Test func `one failing variant fails the lab`() {
        #expect(SampleVerdict.lab.verdict == .fail)
    }

    @Test func `exit codes are the documented ones`() {
        #expect(ExitCode.allCases.map(\.rawValue) == [0, 1, 2, 3, 4, 5, 130])
        #expect(ExpectationVerdict.allCases.map { ExitCode($0) } == [.pass, .fail, .inconclusive])
    }

    private static let golden = """
        {
          "lab" : "fast-path-mac-failover",
          "schema" : 1,
          "variants" : [
            {
              "captures" : [
                {
                  "dropped" : 0,
                  "frames" : 1234,
                  "interface" : "inside",
                  "node" : "lb",
                  "path" : "captures/lb.inside.pcap"
                }
              ],
              "events" : [
                {
                  "isOfScenario" : false,
                  "kind" : "active",
                  "name" : "fw-a.active",
                  "node" : "fw-a",
                  "offsetMilliseconds" : -900,
                  "time" : "2026-11-21T08:29:59.223456789Z"
                },
                {
                  "details" : {
                    "to" : "fw-b"
                  },
                  "isOfScenario" : true,
                  "kind" : "switchover",
                  "name" : "failover",
                  "node" : "fw-a",
                  "offsetMilliseconds" : 0,
                  "time" : "2026-11-21T08:30:00.123456789Z"
                },
                {
                  "isOfScenario" : false,
                  "kind" : "active",
                  "name" : "fw-b.active",
                  "node" : "fw-b",
                  "offsetMilliseconds" : 12,
                  "time" : "2026-11-21T08:30:00.135456789Z"
                }
              ],
              "expectations" : [
                {
                  "expected" : "every flow of existing times out",
                  "frames" : [
                    {
                      "capture" : "captures/client.outside.pcap",
                      "moment" : "+0.734 s after failover",
                      "note" : "02:00:00:00:00:0c → 02:00:00:00:00:0a, 192.0.2.10:40000 → 198.51.100.100:80 TCP PSH-ACK",
                      "number" : 812,
                      "role" : "last to the server",
                      "time" : "2026-11-21T08:30:00.857456789Z"
                    }
                  ],
                  "id" : "existing-timed-out",
                  "seen" : "1 of 1 flow timed-out",
                  "verdict" : "pass",
                  "wiresharkFilter" : "ip.addr == 192.0.2.10 && tcp.port == 40000"
                }
              ],
              "name" : "tcp-fast-path",
              "seconds" : 4.1,
              "shows" : "symptom",
              "traffic" : [
                {
                  "duplicated" : 0,
                  "flows" : 1,
                  "gapMethodsAgree" : true,
                  "kind" : "tcp-stream",
                  "lateProbes" : 0,
                  "longestGapMilliseconds" : 2012.3,
                  "longestGapStart" : "2026-11-21T08:30:00.121456789Z",
                  "lossDerivedGapMilliseconds" : 2000,
                  "lost" : 200,
                  "name" : "existing",
                  "outcome" : "timed-out",
                  "outcomes" : {
                    "timed-out" : 1
                  },
                  "patienceMilliseconds" : 2000,
                  "received" : 50,
                  "recovered" : false,
                  "reordered" : 0,
                  "resolutionMilliseconds" : 10,
                  "sent" : 250,
                  "skippedProbes" : 0
                },
                {
                  "connect" : {
                    "averageMilliseconds" : 0,
                    "lost" : 0,
                    "lostPercent" : 0,
                    "maximumMilliseconds" : 0,
                    "minimumMilliseconds" : 0,
                    "received" : 2,
                    "sent" : 2
                  },
                  "duplicated" : 0,
                  "flows" : 2,
                  "gapMethodsAgree" : true,
                  "kind" : "tcp-connect",
                  "lateProbes" : 2,
                  "longestGapMilliseconds" : 52,
                  "longestGapStart" : "2026-11-21T08:30:00.024456789Z",
                  "lossDerivedGapMilliseconds" : 0,
                  "lost" : 0,
                  "name" : "new",
                  "outcome" : "survived",
                  "outcomes" : {
                    "survived" : 2
                  },
                  "patienceMilliseconds" : 2000,
                  "received" : 2,
                  "recovered" : true,
                  "reordered" : 0,
                  "resolutionMilliseconds" : 50,
                  "sent" : 2,
                  "skippedProbes" : 0
                }
              ],
              "verdict" : "pass"
            }
          ],
          "verdict" : "pass"
        }

        """
}
