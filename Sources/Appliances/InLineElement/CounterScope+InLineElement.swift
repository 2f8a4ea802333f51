public import Configuration
import Impairment
public import LabEvents

extension CounterScope {
    public init(_ configuration: InLineElementConfiguration) {
        self.init(.element)
        add(.rule, configuration.rules.map { [.rule: $0.name] })
    }
}
