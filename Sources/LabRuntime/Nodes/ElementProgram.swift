internal import Appliances
internal import Capture
internal import Configuration
internal import Topology

/// An impairment link: two ends of a cable in one namespace, and nothing else.
final class ElementProgram: BoxProgram<InLineElement> {
    init(_ configuration: InLineElementConfiguration, in process: NodeProcess) throws {
        let element = try InLineElement(configuration) { text in
            let filter = try CaptureFilter(text)
            return { filter.matches($0) }
        }
        try super.init(element, ports: InLineElementConfiguration.portNames, hasHostSide: false, in: process)
    }
}

extension InLineElementConfiguration: ProcessRole {
    func program(of node: Node, in process: NodeProcess) throws -> any NodeProgram {
        try ElementProgram(self, in: process)
    }
}
