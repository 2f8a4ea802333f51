import Expectation
import LabTime
import Measurement
import Mustache

/// A verdict as one file for a browser, with everything in it: a timeline of events and traffic for each variant, and
/// every expectation with the frames that show it. Links lead to the captures beside it in the run's folder.
public struct HTMLReport: Sendable {
    public init() {}

    public func text(_ verdict: Verdict) throws -> String {
        MustacheContentTypes.register(Markup(), named: Markup.name)
        let template = try MustacheTemplate(string: "{{% CONTENT_TYPE: \(Markup.name)}}" + HTMLTemplate.text)
        return template.render(Self.content(of: verdict))
    }

    /// The library's own escapes whole characters, so that a quotation mark with an accent over it stays one.
    private struct Markup: MustacheContentType {
        static let name = "verdict"

        func escapeText(_ text: String) -> String { VisibleText.html(text) }
    }

    /// A section with it is left out.
    private static var absent: Any { false }

    private static func content(of verdict: Verdict) -> [String: Any] {
        [
            "lab": verdict.lab, "title": verdict.title ?? "", "verdict": verdict.verdict.rawValue,
            "mark": verdict.verdict.mark, "style": HTMLTemplate.style,
            "conclusion": SummaryText(verdict, .plain).lines.last ?? "",
            "variants": verdict.variants.enumerated().map { content(of: $1, number: $0) },
        ]
    }

    private static func content(of variant: VariantVerdict, number: Int) -> [String: Any] {
        [
            "id": "variant-\(number)", "label": variant.label, "shows": variant.shows,
            "verdict": variant.verdict.rawValue, "mark": variant.verdict.mark, "finding": variant.finding,
            "seconds": VariantText.seconds(variant.seconds),
            "problem": problem(variant.ownProblem ?? variant.integrityProblem) as Any? ?? absent,
            "seed": variant.seed.map { ["value": "\($0)"] } as Any? ?? absent,
            "timeline": Timeline(variant).map(\.content) as Any? ?? absent,
            "hasTraffic": !variant.traffic.isEmpty,
            "traffic": variant.traffic.map { entry in
                [
                    "name": entry.name, "kind": entry.kind.rawValue, "flows": "\(entry.flows)",
                    "outcome": entry.outcomeText,
                    "sent": "\(entry.sent)", "received": "\(entry.received)", "lost": "\(entry.lost)",
                    "gap": entry.gapText,
                ]
            },
            "expectations": variant.expectations.map { content(of: $0, in: variant) },
            "hasServed": variant.serves != nil,
            "served": (variant.serves ?? []).map { ["node": $0.node, "port": $0.port, "server": $0.server] },
            "leftOut": (variant.leftOut ?? []).map { ["text": $0.text] },
            "hasCaptures": !variant.captures.isEmpty,
            "captures": variant.captures.map { entry in
                [
                    "path": entry.path, "link": "\(variant.folder)/\(entry.path)", "frames": "\(entry.frames)",
                    "dropped": "\(entry.dropped + (entry.leftOut ?? 0))",
                    "hasLost": entry.dropped > 0 || entry.losses != nil,
                ] as [String: Any]
            },
        ]
    }

    private static func problem(_ text: String?) -> [String: Any]? {
        text.map { ["lines": $0.split(separator: "\n").map { ["line": String($0)] }] }
    }

    private static func content(of entry: ExpectationEntry, in variant: VariantVerdict) -> [String: Any] {
        let frames = entry.frames.map { ($0, "") } + (entry.nearest.map { [($0, "nearest")] } ?? [])
        return [
            "id": entry.id, "verdict": entry.verdict.rawValue, "mark": entry.verdict.mark, "expected": entry.expected,
            "seen": entry.seen, "events": entry.eventNotes.map { ["text": $0] },
            "filter": entry.wiresharkFilter.map { ["text": $0] } as Any? ?? absent,
            // Passed expectations are closed, others are open.
            "isOpen": entry.verdict != .pass,
            "frames": frames.map { frame, what in
                [
                    "what": what, "capture": frame.capture, "link": "\(variant.folder)/\(frame.capture)",
                    "number": "\(frame.number)", "moment": frame.moment ?? frame.time.description,
                    "role": frame.role ?? "", "note": frame.note ?? "",
                ]
            },
        ]
    }
}
