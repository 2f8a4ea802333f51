import Evidence
import Expectation
import Testing

@Suite struct `A random share` {
    /// Quantiles of the binomial distribution, from published tables: P(X ≤ k) for n = 20, p = 0.5 is 0.0207 at 5 and
    /// 0.0059 at 4; for n = 10, p = 0.2 it is 0.1074 at 0 and 0.3758 at 1, and P(X ≥ 5) = 0.0328, P(X ≥ 6) = 0.0064.
    @Test(arguments: [
        (20, 0.5, 0.95, 6...14), (20, 0.5, 0.99, 4...16), (10, 0.2, 0.95, 0...5), (1, 0.5, 0.9999, 0...1),
        (10, 0.5, 0.9999, 0...10),
    ])
    func `allows the counts between both tails`(
        _ count: Int, _ share: Double, _ confidence: Double, _ range: ClosedRange<Int>
    ) {
        #expect(RandomLoss(share: share, confidence: confidence).range(of: count) == range)
    }

    @Test func `of many flows neither all nor none is random, and nothing overflows`() {
        let range = RandomLoss(share: 0.5, confidence: 0.9999).range(of: 100_000)
        // 3.89 standard deviations of 158.
        #expect((49_380...49_390).contains(range.lowerBound) && range.lowerBound + range.upperBound == 100_000)
    }
}

@Suite struct `A counter that is expected` {
    private func evaluate(_ expectation: CounterExpectation) -> ExpectationResult {
        var evidence = Scene().evidence
        evidence.counters = ["member": ["Ip.InReceives": 100, "Ip.InDelivers": 58, "TcpExt.IPReversePathFilter": 0]]
        return ExpectationEvaluator(evidence).evaluate(
            ExpectationSpecification(id: "x", subject: .counter(expectation)))
    }

    @Test func `is compared, alone or less another`() {
        let dropped = CounterExpectation(
            node: "member", name: "Ip.InReceives", minus: "Ip.InDelivers", value: .init(.equal, 42))
        #expect(evaluate(dropped).verdict == .pass && evaluate(dropped).seen == "100 less 58 is 42")
        let filtered = CounterExpectation(node: "member", name: "TcpExt.IPReversePathFilter", value: .init(.greater, 0))
        #expect(evaluate(filtered).verdict == .fail && evaluate(filtered).seen == "0")
    }

    @Test func `that nobody counts decides nothing`() {
        let misspelt = CounterExpectation(node: "member", name: "Ip.InRecieves", value: .init(.equal, 0))
        #expect(evaluate(misspelt).verdict == .inconclusive && evaluate(misspelt).seen.contains("Ip.InReceives"))
        #expect(
            evaluate(CounterExpectation(node: "gone", name: "Ip.InReceives", value: .init(.equal, 0))).verdict
                == .inconclusive)
    }
}
