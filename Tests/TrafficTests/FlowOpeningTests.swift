import Measurement
import Testing

@testable import Traffic

struct FlowOpeningTests {
    @Test func `every kind of traffic has flows`() {
        for kind in TrafficProgram.Kind.allCases where FlowOpening.table[kind] == nil {
            Issue.record("FlowOpening.table lacks \(kind.rawValue)")
        }
        #expect(FlowOpening.table.count == TrafficProgram.Kind.allCases.count)
    }
}
