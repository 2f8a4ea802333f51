import Expectation
import LabFile
import Measurement

/// How long traffic may be without an answer.
extension ExpectationForm {
    static let outage = ExpectationForm(
        word: "outage", summary: "[the longest time without an answer](#outage), by the client's frames",
        example: """
            - outage: { of: app, at-most: 500ms }
            - outage: { of: app, at-least: 1s, at-most: 3s, after: begun, before: done }
            """,
        keys: ["of", "at-most", "at-least", "after", "before"], subject: OutageExpectation.self
    ) { reading, subject, _ in reading.outage(subject.value) }
}

extension ExpectationReading {
    /// `outage: { of: app, at-most: 500ms, after: failover }`
    fileprivate func outage(_ value: LabValue) -> ExpectationForm.Read? {
        guard
            let mapping = MappingReader(
                value, "an expectation of an outage", keys: ExpectationForm.outage.keys, reader),
            let of = mapping.required("of")
        else { return nil }
        guard let program = of.text, traffic.contains(program) else {
            reader.reportUnknown(
                of.text ?? "", "there is no traffic program \(of.found)", at: of.position, allowed: traffic)
            return nil
        }
        if !started.contains(program) {
            reader.report("traffic program '\(program)' is never started by the scenario", at: of.position)
        }
        if programs.contains(where: { $0.name == program && $0.kind.type.sumsFlows }) {
            reader.report(
                "'\(program)' does not list its flows, so that no frame is known to be of one", at: of.position,
                allowed: programs.filter { !$0.kind.type.sumsFlows }.map(\.name))
        }
        let lengths: ClosedRange<Duration> = .zero...(.seconds(3600))
        guard mapping["at-most"] != nil || mapping["at-least"] != nil else {
            reader.report(
                "this expectation of an outage has no bound", at: value.position, allowed: ["at-most", "at-least"])
            return nil
        }
        var expectation = OutageExpectation(
            traffic: program, atMost: mapping.duration("at-most", in: lengths),
            atLeast: mapping.duration("at-least", in: lengths))
        if let most = expectation.atMost, let least = expectation.atLeast, least > most {
            reader.report("'at-least' is longer than 'at-most'", at: mapping.keyPosition("at-least"))
        }
        expectation.after = mapping["after"].flatMap(anchor)
        expectation.before = mapping["before"].flatMap(anchor)
        return (.outage(expectation), "\(program)-outage")
    }
}
