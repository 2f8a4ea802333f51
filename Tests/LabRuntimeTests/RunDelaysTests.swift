import Evidence
import LabTime
import Testing

@testable import LabRuntime

struct RunDelaysTests {
    private func at(_ milliseconds: Int64) -> Timestamp { Timestamp(nanoseconds: milliseconds * 1_000_000) }

    @Test func `delays of one process that touch are one`() {
        var delays = RunDelays()
        delays.add("fw-a", from: at(100), to: at(150), waited: .milliseconds(50))
        delays.add("fw-b", from: at(120), to: at(140), waited: .milliseconds(20))
        delays.add("fw-a", from: at(150), to: at(230), waited: .milliseconds(80))
        delays.add("fw-a", from: at(300), to: at(320), waited: .milliseconds(20))
        #expect(
            delays.delays == [
                ProcessDelay(process: "fw-a", from: at(100), to: at(230), milliseconds: 80),
                ProcessDelay(process: "fw-b", from: at(120), to: at(140), milliseconds: 20),
                ProcessDelay(process: "fw-a", from: at(300), to: at(320), milliseconds: 20),
            ])
        #expect(delays.longest == .milliseconds(80))
    }

    @Test func `what a fault stopped was not kept waiting by the machine`() {
        var delays = RunDelays()
        delays.stops("lb", at: at(1000))
        // Due before it was stopped, served after it was resumed; reported before and after the resume is recorded.
        delays.add("lb", from: at(995), to: at(2003), waited: .seconds(1))
        delays.resumes("lb", at: at(2000))
        delays.add("lb", from: at(995), to: at(2003), waited: .seconds(1))
        #expect(delays.delays.isEmpty && delays.longest == .zero)
        delays.add("lb", from: at(2100), to: at(2140), waited: .milliseconds(40))
        delays.add("client", from: at(1100), to: at(1140), waited: .milliseconds(40))
        #expect(delays.delays.map(\.process) == ["lb", "client"])
    }

    @Test func `more delays than any run has take no more memory`() {
        var delays = RunDelays()
        for number in 0..<Int64(3 * RunDelays.most) {
            delays.add("fw-a", from: at(number * 100), to: at(number * 100 + 20), waited: .milliseconds(20))
        }
        #expect(delays.delays.count == RunDelays.most)
        // Later ones extend the last: the stretch up to them is not said to be undisturbed.
        #expect(delays.delays.last?.to == at(Int64(3 * RunDelays.most - 1) * 100 + 20))
    }

    @Test func `a process that was never late before is listed also where the list is full`() {
        var delays = RunDelays()
        for number in 0..<Int64(RunDelays.most) {
            delays.add("fw-a", from: at(number * 100), to: at(number * 100 + 20), waited: .milliseconds(20))
        }
        delays.add("fw-b", from: at(5), to: at(65), waited: .milliseconds(60))
        #expect(delays.delays.last == ProcessDelay(process: "fw-b", from: at(5), to: at(65), milliseconds: 60))
        delays.add("fw-b", from: at(500), to: at(520), waited: .milliseconds(20))
        #expect(delays.delays.last?.to == at(520) && delays.delays.count == RunDelays.most + 1)
    }

    @Test func `a node that is stopped again and again takes no more memory`() {
        var delays = RunDelays()
        for number in 0..<Int64(10 * RunDelays.mostStops) {
            delays.stops("lb", at: at(number * 100))
            delays.add("lb", from: at(number * 100 - 5), to: at(number * 100 + 55), waited: .milliseconds(60))
            delays.resumes("lb", at: at(number * 100 + 50))
            delays.add("lb", from: at(number * 100 - 5), to: at(number * 100 + 55), waited: .milliseconds(60))
        }
        #expect(delays.delays.isEmpty)
        #expect(delays.stops(of: "lb") == RunDelays.mostStops)
    }
}
