import Expectation
import LabFile

/// What must, or must not, have happened.
extension ExpectationForm {
    static let event = ExpectationForm(
        word: "event", summary: "[events](#events)",
        example: """
            - event: done
            - event: { name: begun, count: 1, after: scenario.begin, before: done, within: 10s }
            - event: { name: lb.http-502, count: 0, with: { service: web } }
            """,
        keys: ["name", "with", "count", "after", "before", "within"], subject: EventExpectation.self
    ) { reading, subject, _ in reading.event(subject.value) }
}

extension ExpectationReading {
    fileprivate func event(_ value: LabValue) -> ExpectationForm.Read? {
        let atLeastOnce = Comparison(.greaterOrEqual, 1)
        if let text = value.text {
            guard events.check(text, at: value.position, reader) else { return nil }
            return (
                .event(EventExpectation(event: text, count: atLeastOnce, reporter: events.reporter(of: text))),
                eventWords(text)
            )
        }
        guard
            let mapping = MappingReader(value, "an expectation of an event", keys: ExpectationForm.event.keys, reader),
            let nameValue = mapping.required("name"), let name = mapping.text("name"),
            events.check(name, at: nameValue.position, reader)
        else { return nil }
        let count = mapping["count"].flatMap { ComparisonReading(reader: reader).integer($0, of: "'count'") }
        if let value = mapping["within"], mapping["after"] == nil {
            reader.report(
                "'within' needs 'after': it is the length of the window that 'after' opens", at: value.position)
        }
        let with = RecordCheckReading(
            reader: reader, references: references, events: events, what: "a detail of \(name)",
            fields: events.details(of: name))
        return (
            .event(
                EventExpectation(
                    event: name, with: mapping["with"].map { with.read($0, of: "with") } ?? [],
                    count: count ?? atLeastOnce, after: mapping["after"].flatMap(anchor),
                    before: mapping["before"].flatMap(anchor),
                    within: mapping.duration("within", in: .nanoseconds(1)...(.seconds(86_400))),
                    reporter: events.reporter(of: name))),
            eventWords(name)
        )
    }

    private func eventWords(_ name: String) -> String { name.split { $0 == "." || $0 == "/" }.joined(separator: "-") }
}
