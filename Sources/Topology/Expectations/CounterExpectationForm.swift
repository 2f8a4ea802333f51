import Expectation
import LabFile

/// What a node must have counted.
extension ExpectationForm {
    static let counter = ExpectationForm(
        word: "counter", summary: "[counters](#counters)",
        example: """
            - counter: { of: client, name: Ip.InReceives, minus: Ip.InDelivers, is: "< 10" }
            """,
        keys: ["of", "name", "minus", "is"], subject: CounterExpectation.self
    ) { reading, subject, _ in reading.counter(subject.value) }
}

extension ExpectationReading {
    fileprivate func counter(_ value: LabValue) -> ExpectationForm.Read? {
        CounterExpectationReading(reader: reader, nodes: nodes).read(value, "an expectation of a counter").map {
            let words = $0.name.lowercased().split { $0 == "." || $0 == "/" }.joined(separator: "-")
            return (.counter($0), "\($0.node)-\(words)")
        }
    }
}
