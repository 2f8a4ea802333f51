import Dataplane
import LabEvents
import Testing

@Suite struct CountersTests {
    @Test func `every counter has a name of its own and a sentence`() {
        let names = DropReason.allCases.map { "drop." + $0.name } + Counters.Event.allCases.map(\.counter.rawValue)
        #expect(Set(names).count == names.count)
        let sentences = DropReason.allCases.map(\.meaning) + Counters.Event.allCases.map(\.counter.meaning)
        for sentence in sentences { #expect(sentence.hasSuffix(".") && sentence.count > 10, "\(sentence)") }
    }

    @Test func `counters count apart`() {
        var counters = Counters()
        counters.drop(.notForUs)
        counters.drop(.fragment, times: 3)
        counters.count(.forwarded)
        counters.count(.made, times: 2)
        #expect(counters[.notForUs] == 1)
        #expect(counters[.fragment] == 3)
        #expect(counters[.forwarded] == 1)
        #expect(counters[.made] == 2)
        #expect(counters.dropped == 4)
    }
}
