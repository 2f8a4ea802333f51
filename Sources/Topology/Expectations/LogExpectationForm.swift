import Configuration
import Expectation
import LabFile

/// What the access log of a load balancer must have.
extension ExpectationForm {
    static let log = ExpectationForm(
        word: "log", summary: "[a load balancer's access log](#access-logs)",
        example: """
            - log: { on: lb, where: { status: 200 }, after: begun, before: done, within: 1s }
              every: { totalTime: "< 1" }
            - { log: { on: lb }, some: { status: 200 } }
            - { log: { on: lb }, none: { status: 502 } }
            - { log: { on: lb }, first: { status: 200 } }
            - log: { on: lb }
              count: { is: "> 1", status: 200 }
            """,
        keys: ["on", "where", "after", "before", "within"], requirements: ["every", "some", "none", "count", "first"],
        subject: LogExpectation.self
    ) { reading, subject, item in reading.log(subject.value, item) }
}

extension ExpectationReading {
    fileprivate func log(
        _ value: LabValue, _ item: MappingReader
    ) -> ExpectationForm.Read? {
        guard let mapping = MappingReader(value, "an expectation of a log", keys: ExpectationForm.log.keys, reader),
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

    private func logRequirement(
        _ item: MappingReader, _ checks: RecordCheckReading
    ) -> (LogExpectation.Requirement, String)? {
        guard let (key, value) = onlyRequirement(item, of: "log", among: ExpectationForm.log.requirements) else {
            return nil
        }
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
}
