import Expectation
import Foundation
import FoundationXML
import Report
import Testing

struct MachineReportTests {
    /// Elements with their attributes, in order; an error where the text is not well formed.
    private final class Elements: NSObject, XMLParserDelegate {
        var found: [(name: String, attributes: [String: String])] = []
        var text = ""

        func parser(
            _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
            attributes: [String: String]
        ) {
            found.append((name, attributes))
        }

        func parser(_ parser: XMLParser, foundCharacters string: String) { text += string }
    }

    private static func parse(_ xml: String) throws -> Elements {
        let elements = Elements()
        let parser = XMLParser(data: Data(xml.utf8))
        parser.delegate = elements
        guard parser.parse() else { throw try #require(parser.parserError) }
        return elements
    }

    @Test func `JUnit is well formed, with a suite for each variant and a case for each expectation`() throws {
        let elements = try Self.parse(JUnitReport().text(SampleVerdict.lab))
        let suites = elements.found.filter { $0.name == "testsuite" }
        #expect(suites.map { $0.attributes["name"] } == ["tcp-fast-path", "virtual-mac"])
        #expect(suites.map { $0.attributes["tests"] } == ["1", "2"])
        #expect(suites.map { $0.attributes["failures"] } == ["0", "1"])
        #expect(suites.map { $0.attributes["errors"] } == ["0", "1"])
        #expect(elements.found.first?.attributes["tests"] == "3")
        let cases = elements.found.filter { $0.name == "testcase" }
        #expect(cases.map { $0.attributes["name"] } == ["existing-timed-out", "to-virtual-mac", "quiet"])
        #expect(cases.last?.attributes["classname"] == "fast-path-mac-failover.virtual-mac")
        let failure = try #require(elements.found.first { $0.name == "failure" })
        #expect(
            failure.attributes["message"] == "1 of 2 frames does not: in #7 eth.dst is 02:00:00:00:00:0a <&> \"old\"")
        #expect(elements.found.first { $0.name == "error" }?.attributes["type"] == "inconclusive")
        #expect(elements.text.contains("Wireshark: tcp && !(eth.dst == 00:00:5e:00:01:0a)"))
    }

    @Test func `characters that XML forbids do not break the file`() throws {
        let variant = VariantVerdict(name: "a\u{0}\u{1b}<\">\n", shows: "remedy", seconds: 0, problem: "]]>\u{fffe}&")
        let elements = try Self.parse(JUnitReport().text(Verdict(lab: "<&>", variants: [variant])))
        #expect(elements.found.first { $0.name == "testsuite" }?.attributes["name"] == "a\u{fffd}\u{fffd}<\">\n")
        #expect(elements.found.first { $0.name == "error" }?.attributes["message"] == "]]>\u{fffd}&")
    }

    @Test func `a variant that expects nothing is an error in JUnit and not ok in TAP`() throws {
        let lab = Verdict(lab: "x", variants: [VariantVerdict(name: "v", shows: "remedy", seconds: 0, problem: "no")])
        #expect(try Self.parse(JUnitReport().text(lab)).found.contains { $0.name == "error" })
        #expect(TAPReport().text(lab).contains("\nnot ok 1 - v (remedy)\n"))
    }

    @Test func `TAP 14 has a subtest for each variant`() {
        #expect(TAPReport().text(SampleVerdict.lab) == Self.tap)
    }

    @Test(arguments: ReportFormat.allCases)
    func `every format ends its last line`(format: ReportFormat) throws {
        #expect(try format.render(SampleVerdict.lab).hasSuffix("\n"))
    }

    private static let tap = #"""
        TAP version 14
        1..2
            # Subtest: tcp-fast-path (symptom)
            1..1
            ok 1 - existing-timed-out
        ok 1 - tcp-fast-path (symptom)
            # Subtest: virtual-mac (remedy)
            1..2
            not ok 1 - to-virtual-mac
              ---
              verdict: fail
              expected: "every frame on lb.inside that matches 'tcp' after failover has eth.dst = 00:00:5e:00:01:0a"
              seen: "1 of 2 frames does not: in #7 eth.dst is 02:00:00:00:00:0a <&> \"old\""
              frames:
                - "captures/lb.inside.pcap #7 at 2026-11-21T08:30:00.128456789Z (+0.005 s after failover): a → b"
              wireshark: "tcp && !(eth.dst == 00:00:5e:00:01:0a)"
              ...
            not ok 2 - quiet
              ---
              verdict: inconclusive
              expected: "no frame on lb.inside"
              seen: "no such frame; but captures/lb.inside.pcap lacks 5 frames that the kernel dropped"
              nearest: "captures/lb.inside.pcap #3 at 2026-11-21T08:30:00.118456789Z"
              ...
        not ok 2 - virtual-mac (remedy)

        """#
}
