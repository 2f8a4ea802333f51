import Configuration
import Expectation
import LabFile

/// What events and access logs must say.
extension ExpectationReading {
    func event(_ value: LabValue) -> (ExpectationSpecification.Subject, String)? {
        let atLeastOnce = Comparison(.greaterOrEqual, 1)
        if let text = value.text {
            guard events.check(text, at: value.position, reader) else { return nil }
            return (
                .event(EventExpectation(event: text, count: atLeastOnce, reporter: events.reporter(of: text))),
                eventWords(text)
            )
        }
        guard let mapping = MappingReader(value, "an expectation of an event", keys: LabKeys.event, reader),
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

    func log(
        _ value: LabValue, _ item: MappingReader
    ) -> (ExpectationSpecification.Subject, String)? {
        guard let mapping = MappingReader(value, "an expectation of a log", keys: LabKeys.log, reader),
            let on = mapping.required("on")
        else { return nil }
        let owners = nodes.filter(\.logsRequests).map(\.name)
        guard let node = on.text, owners.contains(node) else {
            reader.reportUnknown(
                on.text ?? "",
                "\(on.found) has no access log: only load balancers with a service of the profile http do",
                at: on.position, allowed: owners)
            return nil
        }
        if let value = mapping["within"], mapping["after"] == nil {
            reader.report(
                "'within' needs 'after': it is the length of the window that 'after' opens", at: value.position)
        }
        let checks = RecordCheckReading(
            reader: reader, references: references, events: events, what: "a field of the access log",
            fields: AccessLogField.allCases.map(\.rawValue))
        guard let (requirement, words) = logRequirement(item, checks) else { return nil }
        let expectation = LogExpectation(
            node: node, selection: mapping["where"].map { checks.read($0, of: "where") } ?? [],
            after: mapping["after"].flatMap(anchor), before: mapping["before"].flatMap(anchor),
            within: mapping.duration("within", in: .nanoseconds(1)...(.seconds(86_400))), requirement: requirement)
        return (.log(expectation), "\(node)-log-\(words)")
    }

    func logRequirement(
        _ item: MappingReader, _ checks: RecordCheckReading
    ) -> (LogExpectation.Requirement, String)? {
        guard let (key, value) = onlyRequirement(item, of: "log", among: LabKeys.logRequirements) else { return nil }
        let words = ([key] + (value.entries ?? []).map(\.key).filter { $0 != "is" }.prefix(2)).joined(separator: "-")
        switch key {
        case "every", "first":
            let fields = checks.read(value, of: key)
            if value.entries?.isEmpty == true {
                reader.report("'\(key)' needs at least one field to check", at: value.position)
            }
            return (key == "every" ? .every(fields) : .first(fields), words)
        case "some", "none":
            let fields = value.isNull || value.text == "true" ? [] : checks.read(value, of: key)
            return (key == "some" ? .some(fields) : .none(fields), words)
        default:
            let comparisons = ComparisonReading(reader: reader)
            guard value.entries != nil else {
                return comparisons.integer(value, of: "'count'").map { (.count($0, []), words) }
            }
            guard let number = value["is"] else {
                reader.report("'count' needs the key 'is', such as is: \"> 3\"", at: value.position)
                return nil
            }
            let fields = checks.read(value.setting("is", to: nil), of: key)
            return comparisons.integer(number, of: "'count'").map { (.count($0, fields), words) }
        }
    }

    func eventWords(_ name: String) -> String { name.split(separator: ".").joined(separator: "-") }
}
