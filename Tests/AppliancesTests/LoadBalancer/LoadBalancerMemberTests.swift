import Appliances
import Configuration
import LabEvents
import LabTime
import Testing

@Suite struct LoadBalancerMemberTests {
    private func syn(_ bench: BalancerBench, _ port: Int) -> [String] {
        bench.send("inside fw-a>lb.inside tcp 192.0.2.50:\(port) > 198.51.100.100:80 SYN")
    }

    @Test func `a member that goes down loses its sessions and gets no new ones`() {
        let bench = BalancerBench(BalancerBench.service(.tcpFastPath))
        _ = syn(bench, 40000)
        _ = syn(bench, 40001)
        #expect(bench.perform(.member(service: "web", member: "b1", isUp: false)) == .done)
        #expect(bench.counter("flows") == 1)
        #expect(bench.send("inside fw-a>lb.inside tcp 192.0.2.50:40000 > 198.51.100.100:80 ACK").isEmpty)
        #expect(bench.drops == ["not-syn 1"])
        for port in 40000..<40004 where port != 40001 {
            #expect(syn(bench, port) == ["servers lb.servers>b2 tcp 192.0.2.50:\(port) > 203.0.113.22:8080 SYN"])
        }
        #expect(bench.perform(.member(service: "web", member: "b1", isUp: true)) == .done)
        let again = syn(bench, 40010) + syn(bench, 40011)
        #expect(again.contains { $0.contains(">b1 ") })
        let events = bench.takeEvents()
        #expect(events.map(\.kind) == [.memberDown, .memberUp])
        #expect(events[0].details[.sessionsRemoved] == "1")
        #expect(events[0].details[.membersUp] == "1")
    }

    @Test func `the same verdict twice is no event`() {
        let bench = BalancerBench(BalancerBench.service(.tcpFastPath))
        #expect(bench.perform(.member(service: "web", member: "b1", isUp: true)) == .done)
        #expect(bench.takeEvents().isEmpty)
    }

    @Test func `with no member up a new session is dropped silently and counted`() {
        for profile in [ServiceProfile.tcpFastPath, .udpFastPath, .udpPerPacket] {
            for scheduler in Scheduler.allCases {
                let bench = BalancerBench(BalancerBench.service(profile, scheduler: scheduler, members: 1))
                _ = bench.perform(.member(service: "web", member: "b1", isUp: false))
                let packet =
                    profile == .tcpFastPath
                    ? "inside fw-a>lb.inside tcp 192.0.2.50:40000 > 198.51.100.100:80 SYN"
                    : "inside fw-a>lb.inside udp 192.0.2.50:40000 > 198.51.100.100:53"
                #expect(bench.send(packet).isEmpty)
                #expect(bench.drops == ["no-member-up 1"])
            }
        }
    }

    @Test func `commands that do not suit are refused with what there is`() {
        let bench = BalancerBench(BalancerBench.service(.tcpFastPath))
        #expect(
            bench.perform(.member(service: "web", member: "b9", isUp: true))
                == .refused(reason: "service web has no member b9; it has b1, b2"))
        #expect(
            bench.perform(.member(service: "shop", member: "b1", isUp: true))
                == .refused(reason: "lb has no service shop; it has web"))
        #expect(
            bench.perform(.carrier(port: "dmz", isUp: false))
                == .refused(reason: "lb has no interface dmz; it has inside, servers"))
        guard case .refused = bench.perform(.switchover) else { Issue.record("not refused"); return }
    }

    @Test func `a port without carrier sends nothing`() {
        let bench = BalancerBench(BalancerBench.service(.tcpFastPath))
        _ = bench.perform(.carrier(port: "servers", isUp: false))
        #expect(syn(bench, 40000).isEmpty)
        #expect(bench.drops == ["carrier-down 1"])
        _ = bench.perform(.carrier(port: "servers", isUp: true))
        #expect(syn(bench, 40000) == ["servers lb.servers>all arp who-has 203.0.113.21 tell 203.0.113.10"])
    }
}
