import LabTime
import Redundancy
import Testing
import Wire

struct VirtualRouterTests {
    static let start = Instant(nanoseconds: 1_000_000_000)
    static let own = IPv4Address(192, 0, 2, 2)
    static let other = IPv4Address(192, 0, 2, 3)

    func backup(priority: UInt8 = 100, preempts: Bool = true) -> VirtualRouter {
        var router = VirtualRouter(
            priority: priority, preempts: preempts, interval: .milliseconds(100), address: Self.own)
        router.start(at: Self.start)
        return router
    }

    func active(priority: UInt8 = 100) -> VirtualRouter {
        var router = backup(priority: priority)
        router.becomeActive(at: Self.start)
        return router
    }

    func advertisement(
        _ priority: UInt8, interval: Duration = .milliseconds(100), from source: IPv4Address = other
    ) -> Advertisement {
        Advertisement(priority: priority, interval: interval, source: source)
    }

    @Test(arguments: [(UInt8(1), 99_609_375), (100, 60_937_500), (200, 21_875_000), (254, 781_250), (255, 390_625)])
    func `the skew time is 256 minus priority, in 256ths of the interval`(priority: UInt8, nanoseconds: Int) {
        #expect(
            VirtualRouterTimers.skew(priority: priority, interval: .milliseconds(100)) == .nanoseconds(nanoseconds))
    }

    @Test func `the Active-down interval is three advertisements and the skew`() {
        #expect(
            VirtualRouterTimers.activeDown(priority: 100, interval: .milliseconds(100)) == .nanoseconds(360_937_500))
        #expect(VirtualRouterTimers.activeDown(priority: 100, interval: .seconds(1)) == .nanoseconds(3_609_375_000))
    }

    @Test func `a router starts as a Backup that waits for the Active-down interval`() {
        let router = backup()
        #expect(router.state == .backup)
        #expect(router.deadline == Self.start + .nanoseconds(360_937_500))
    }

    @Test func `a Backup takes over after three missed advertisements and not a nanosecond earlier`() {
        var router = backup()
        let due = Self.start + .nanoseconds(360_937_500)
        let answer1 = router.advance(to: due - .nanoseconds(1))
        #expect(answer1 == .nothing)
        let answer2 = router.advance(to: due)
        #expect(answer2 == .takeOver)
        #expect(router.receivesNothing)
    }

    @Test func `an advertisement of the same priority restarts a Backup's Active-down timer`() {
        var router = backup()
        let heard = Self.start + .milliseconds(90)
        let answer3 = router.receive(advertisement(100), at: heard)
        #expect(answer3 == .nothing)
        #expect(router.deadline == heard + .nanoseconds(360_937_500))
    }

    @Test func `a Backup adopts the interval of the Active`() {
        var router = backup()
        _ = router.receive(advertisement(200, interval: .seconds(1)), at: Self.start)
        #expect(router.activeInterval == .seconds(1))
        #expect(router.deadline == Self.start + .nanoseconds(3_609_375_000))
    }

    @Test func `a preempting Backup does not let a lower priority restart its timer`() {
        var router = backup(priority: 100)
        _ = router.receive(advertisement(99), at: Self.start + .milliseconds(90))
        #expect(router.deadline == Self.start + .nanoseconds(360_937_500))
    }

    @Test func `a Backup that does not preempt honours a lower priority`() {
        var router = backup(priority: 100, preempts: false)
        _ = router.receive(advertisement(1), at: Self.start + .milliseconds(90))
        #expect(router.deadline == Self.start + .nanoseconds(450_937_500))
    }

    @Test func `priority 0 leaves a Backup only the skew time to wait`() {
        var router = backup(priority: 100)
        _ = router.receive(advertisement(0), at: Self.start)
        #expect(router.deadline == Self.start + .nanoseconds(60_937_500))
        let answer4 = router.advance(to: Self.start + .nanoseconds(60_937_500))
        #expect(answer4 == .takeOver)
    }

    @Test func `an Active advertises each interval`() {
        var router = active()
        let answer5 = router.advance(to: Self.start + .milliseconds(99))
        #expect(answer5 == .nothing)
        let answer6 = router.advance(to: Self.start + .milliseconds(100))
        #expect(answer6 == .advertise)
        router.advertised(at: Self.start + .milliseconds(100))
        #expect(router.deadline == Self.start + .milliseconds(200))
    }

    @Test func `an Active yields to a higher priority`() {
        var router = active()
        let answer7 = router.receive(advertisement(101), at: Self.start)
        #expect(answer7 == .yield)
    }

    @Test func `an Active answers a losing advertisement at once`() {
        var router = active()
        let answer8 = router.receive(advertisement(99), at: Self.start)
        #expect(answer8 == .advertise)
    }

    @Test func `an Active answers priority 0 at once`() {
        var router = active()
        let answer9 = router.receive(advertisement(0), at: Self.start)
        #expect(answer9 == .advertise)
    }

    @Test func `between equal priorities the greater address is Active`() {
        var router = active()
        let answer10 = router.receive(advertisement(100, from: IPv4Address(192, 0, 2, 3)), at: Self.start)
        #expect(answer10 == .yield)
        router = active()
        let answer11 = router.receive(advertisement(100, from: IPv4Address(192, 0, 2, 1)), at: Self.start)
        #expect(answer11 == .advertise)
        // As numbers, not as text: 192.0.2.10 is greater than 192.0.2.2.
        router = active()
        let answer12 = router.receive(advertisement(100, from: IPv4Address(192, 0, 2, 10)), at: Self.start)
        #expect(answer12 == .yield)
    }

    @Test func `only an Active has priority 0 to send when it shuts down`() {
        var router = active()
        let answer13 = router.shutDown()
        #expect(answer13)
        #expect(router.state == .initialize)
        #expect(router.deadline == nil)
        router = backup()
        let answer14 = router.shutDown()
        #expect(!answer14)
        let answer15 = router.receive(advertisement(255), at: Self.start)
        #expect(answer15 == .nothing)
        let answer16 = router.advance(to: Self.start + .seconds(100))
        #expect(answer16 == .nothing)
    }
}
