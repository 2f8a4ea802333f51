@testable import Expectation
import Testing

struct ExpectationVerdictTests {
    @Test(arguments: [
        ([ExpectationVerdict.pass, .pass], ExpectationVerdict.pass), ([.pass, .inconclusive], .inconclusive),
        ([.inconclusive, .fail, .pass], .fail), ([], .inconclusive),
    ])
    func `one failure fails them all, one doubt leaves doubt, and nothing asked is nothing proven`(
        verdicts: [ExpectationVerdict], combined: ExpectationVerdict
    ) {
        #expect(ExpectationVerdict(combining: verdicts) == combined)
    }

    @Test(arguments: [
        (Duration.seconds(2), "2 s"), (.milliseconds(52), "52 ms"), (.microseconds(52_100), "52.1 ms"),
        (.nanoseconds(1_234_567_890), "1.235 s"), (.microseconds(80), "80 µs"), (.nanoseconds(7), "7 ns"),
        (.zero, "0 ns"), (.milliseconds(-20), "-20 ms"),
    ])
    func `a duration is given in the unit that a person would choose`(duration: Duration, text: String) {
        #expect(duration.forPeople == text)
    }

    @Test func `a moment is given relative to its event`() {
        #expect(Moment(event: "failover", offset: .microseconds(733_600)).description == "+0.734 s after failover")
        #expect(Moment(event: "failover", offset: .milliseconds(-120)).description == "0.120 s before failover")
        #expect(Moment(event: "failover", offset: .seconds(61)).description == "+61.000 s after failover")
        #expect(Anchor(event: "failover", offset: .milliseconds(200)).description == "failover + 200 ms")
        #expect(Anchor(event: "failover", offset: .milliseconds(-200)).description == "failover - 200 ms")
    }
}
