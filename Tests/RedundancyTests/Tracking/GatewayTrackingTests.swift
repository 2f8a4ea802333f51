import Redundancy
import Testing

struct GatewayTrackingTests {
    /// Asks `rounds` times; only these gateways answer.
    private func run(_ tracking: inout GatewayTracking, _ rounds: Int, answering: Set<Int>) {
        for _ in 0..<rounds {
            for (place, sequence) in tracking.ask().enumerated() where answering.contains(place) {
                tracking.answered(place, sequence: sequence)
            }
        }
    }

    @Test func `a route follows the first gateway that answers`() {
        var tracking = GatewayTracking(count: 2, misses: 3)
        run(&tracking, 10, answering: [0, 1])
        #expect(tracking.current == 0)
        run(&tracking, 3, answering: [1])
        #expect(tracking.current == 0, "the third question may still be answered")
        run(&tracking, 1, answering: [1])
        #expect(tracking.current == 1)
        run(&tracking, 2, answering: [0, 1])
        #expect(tracking.current == 1, "one answer is no recovery")
        run(&tracking, 1, answering: [0, 1])
        #expect(tracking.current == 0)
    }

    @Test func `single losses move nothing`() {
        var tracking = GatewayTracking(count: 2, misses: 3)
        for _ in 0..<20 {
            run(&tracking, 2, answering: [1])
            run(&tracking, 1, answering: [0, 1])
            #expect(tracking.current == 0)
        }
    }

    @Test func `a lost carrier acts at once, and a new one alone does not`() {
        var tracking = GatewayTracking(count: 2, misses: 3)
        run(&tracking, 2, answering: [0, 1])
        tracking.carrier(of: 0, isUp: false)
        #expect(tracking.current == 1)
        run(&tracking, 5, answering: [0, 1])
        #expect(tracking.current == 1)
        tracking.carrier(of: 0, isUp: true)
        #expect(tracking.current == 1)
        run(&tracking, 3, answering: [0, 1])
        #expect(tracking.current == 0)
    }

    @Test func `while nobody answers the route stays where it is`() {
        var tracking = GatewayTracking(count: 2, misses: 2)
        run(&tracking, 4, answering: [1])
        #expect(tracking.current == 1)
        run(&tracking, 10, answering: [])
        #expect(tracking.current == 1)
        run(&tracking, 4, answering: [0])
        #expect(tracking.current == 0)
    }

    @Test func `a late answer to an earlier question says nothing`() {
        var tracking = GatewayTracking(count: 2, misses: 2)
        var late = tracking.ask()[0]
        for _ in 0..<4 {
            let next = tracking.ask()
            tracking.answered(0, sequence: late)
            tracking.answered(1, sequence: next[1])
            late = next[0]
        }
        #expect(tracking.current == 1)
    }
}
