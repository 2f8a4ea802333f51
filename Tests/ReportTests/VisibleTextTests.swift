import Evidence
import Foundation
import FoundationXML
import Testing

@testable import Report

@Suite struct `Text of others` {
    /// A sequence that clears a screen, the one-byte form of it, a title of the window, a reordering, a hidden letter.
    static let hostile =
        "\u{1b}[2J\u{9b}31m\u{1b}]0;x\u{7}\u{202e}\u{2066}\u{ad}\u{7f}\u{0}\r\u{85}\u{2028}\u{e0041}\u{feff}"

    static func isQuiet(_ text: String, besides allowed: Set<Unicode.Scalar> = ["\n", "\t"]) -> Bool {
        text.unicodeScalars.allSatisfy { allowed.contains($0) || !VisibleText.isHidden($0) }
    }

    @Test func `control characters, reordering and invisible ones are written out, words of all languages stay`() {
        for value in [0...0x1f, 0x7f...0x9f, 0x202a...0x202e, 0x2066...0x2069].joined() {
            let scalar = Unicode.Scalar(UInt32(value))!
            #expect(VisibleText.isHidden(scalar), "\(value)")
            #expect(Self.isQuiet(VisibleText.line("a\(scalar)b"), besides: []), "\(value)")
        }
        for words in [
            "déjà vu · 東京 · עברית · العربية · क्षत्रिय · 👩‍👩‍👧 · ½ → ✔", "\u{fffd}", "a\u{301}", "\u{200d}", "",
        ] { #expect(VisibleText.line(words) == words) }
        #expect(VisibleText.line("a\u{1b}[31m\r\n\tb") == "a\\u{1b}[31m\\r\\n\\tb")
        #expect(VisibleText.block("a\u{1b}\r\n\tb") == "a\\u{1b}\\r\n\tb")
        #expect(Self.isQuiet(VisibleText.line(Self.hostile), besides: []))
        // What is visible once is not changed again.
        #expect(VisibleText.block(VisibleText.block(Self.hostile)) == VisibleText.block(Self.hostile))
    }

    @Test func `what is no UTF-8 has become visible when it is printed`() {
        #expect(
            VisibleText.line(String(decoding: [0x61, 0x9b, 0xff, 0xc3], as: UTF8.self)) == "a\u{fffd}\u{fffd}\u{fffd}")
    }

    /// A verdict with the hostile text in each field that a lab, a node or a saved run fills.
    private static var lab: Verdict {
        var verdict = SampleVerdict.lab
        verdict.lab += hostile
        verdict.title = hostile
        for index in verdict.variants.indices {
            verdict.variants[index].name += hostile
            verdict.variants[index].problem = "it died: \(hostile)\n  → \(hostile)"
            for event in verdict.variants[index].events.indices {
                verdict.variants[index].events[event].name += hostile
                verdict.variants[index].events[event].kind += hostile
                verdict.variants[index].events[event].node? += hostile
                verdict.variants[index].events[event].details = [hostile: hostile]
            }
            for entry in verdict.variants[index].traffic.indices {
                verdict.variants[index].traffic[entry].name += hostile
                verdict.variants[index].traffic[entry].reason = hostile
                verdict.variants[index].traffic[entry].outcomes[hostile] = 1
                verdict.variants[index].traffic[entry].statuses = [hostile: 1]
            }
            for entry in verdict.variants[index].expectations.indices {
                verdict.variants[index].expectations[entry].id += hostile
                verdict.variants[index].expectations[entry].expected += hostile
                verdict.variants[index].expectations[entry].seen += hostile
                verdict.variants[index].expectations[entry].wiresharkFilter? += hostile
                for frame in verdict.variants[index].expectations[entry].frames.indices {
                    verdict.variants[index].expectations[entry].frames[frame].capture += hostile
                    verdict.variants[index].expectations[entry].frames[frame].moment? += hostile
                    verdict.variants[index].expectations[entry].frames[frame].role? += hostile
                    verdict.variants[index].expectations[entry].frames[frame].note? += hostile
                }
            }
            for entry in verdict.variants[index].captures.indices {
                verdict.variants[index].captures[entry].node += hostile
                verdict.variants[index].captures[entry].path += hostile
            }
        }
        return verdict
    }

    @Test(arguments: ReportFormat.allCases) func `no report hands it to the terminal`(_ format: ReportFormat) throws {
        #expect(Self.isQuiet(try format.render(Self.lab)), "\(format)")
    }

    @Test func `a report in colours has no other sequence than those`() throws {
        // Marks of the report's own in somebody else's text colour it at most.
        var verdict = Self.lab
        verdict.title! += "\(Ink.red.mark)red?\(Ink.end)"
        let text = TextReport(color: .color).text(verdict)
        #expect(text.contains("\u{1b}[32m✔ "))
        var rest = text
        for ink in Ink.allCases.map(\.rawValue) + ["0"] { rest = rest.replacing("\u{1b}[\(ink)m", with: "") }
        #expect(Self.isQuiet(rest))
        #expect(Self.isQuiet(TextReport(color: .plain).text(verdict)))
        #expect(Self.isQuiet(TextReport(color: .color).summary(verdict).replacing(/\u{1b}\[\d+m/, with: "")))
    }

    @Test func `JSON keeps every character of it`() throws {
        #expect(try Verdict(json: Self.lab.json()) == Self.lab)
    }

    @Test func `JUnit stays well formed and keeps what XML allows`() throws {
        final class Names: NSObject, XMLParserDelegate {
            var suites: [String] = []
            func parser(
                _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
                attributes: [String: String]
            ) { if name == "testsuite" { suites.append(attributes["name"] ?? "") } }
        }
        let names = Names()
        let parser = XMLParser(data: Data(JUnitReport().text(Self.lab).utf8))
        parser.delegate = names
        #expect(parser.parse(), "\(String(describing: parser.parserError))")
        #expect(
            names.suites.first
                == "tcp-fast-path\u{fffd}[2J\u{9b}31m\u{fffd}]0;x\u{fffd}\u{202e}\u{2066}\u{ad}\u{7f}\u{fffd}\u{fffd}\u{85}\u{2028}\u{e0041}\u{feff}"
        )
    }

    @Test func `a quotation mark under an accent ends no attribute of the page`() throws {
        let evil = "\"\u{301} onmouseover=alert(1) <\u{301}b> &\u{301} '\u{301}"
        var verdict = SampleVerdict.lab
        verdict.title = evil
        verdict.variants[0].expectations[0].frames[0].capture = evil
        let page = try HTMLReport().text(verdict)
        #expect(page.contains("&quot;\u{301} onmouseover=alert(1) &lt;\u{301}b&gt; &amp;\u{301} &#39;\u{301}"))
        #expect(!page.contains("<\u{301}"))
    }
}
