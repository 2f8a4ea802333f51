import LabEvents
import Testing

struct CounterTests {
    /// Whose sentence is that of a reason, or of the kernel.
    private static let withoutSentence: Set<Counter> = [.drop, .vrrpDiscarded, .syncDiscarded, .kernel]

    @Test(arguments: Counter.allCases)
    func `a counter has a sentence, and its words in angle brackets are known`(counter: Counter) {
        #expect(Self.withoutSentence.contains(counter) || counter.meaning.hasSuffix("."), "\(counter.meaning)")
        let words = Dictionary(uniqueKeysWithValues: CounterPlaceholder.allCases.map { ($0, "x") })
        #expect(!counter.name(words).contains("<") && !counter.meaning(words).contains("<"))
    }

    @Test func `names differ, whatever services and members are called`() {
        let names = Counter.allCases.filter { $0 != .kernel }.map {
            $0.name(Dictionary(uniqueKeysWithValues: CounterPlaceholder.allCases.map { ($0, "x") }))
        }
        #expect(Set(names).count == names.count)
    }

    @Test func `a reading has the name and the meaning of its declaration`() {
        let chosen = CounterReading(.memberChosen, [.service: "web", .member: "b1"], 3)
        #expect(chosen.name == "service.web.member.b1.chosen" && chosen.value == 3)
        let standby = CounterReading(.drop, [.reason: "standby", .meaning: "The peer owns the traffic."], UInt64(7))
        #expect(standby.name == "drop.standby" && standby.meaning == "The peer owns the traffic.")
        #expect(CounterReading(.sessions, -1).value == 0)
    }

    @Test func `a scope has the names of its parts alone`() {
        var scope = CounterScope(.gatewayFirewall)
        scope.add(.member, [[.service: "web", .member: "b1"], [.service: "web", .member: "b2"]])
        #expect(scope.contains("states.created") && scope.contains("service.web.member.b2.chosen"))
        #expect(!scope.contains("sessions") && !scope.contains("service.web.member.b3.chosen"))
        #expect(!scope.contains("service.web.member.<member>.chosen"))
        #expect(scope.names.last == "states.misfits" && scope.counters.first == .memberChosen)
    }

    @Test func `a word that is open is any word, and a kernel's group is one of those there are`() {
        let kernel = CounterScope.kernel
        #expect(kernel.contains("TcpExt.IPReversePathFilter") && kernel.contains("IcmpMsg.OutType3"))
        for name in ["TcpEx.IPReversePathFilter", "TcpExt.", "TcpExt", "sessions", "Ip.In Receives", "Ip.a.b"] {
            #expect(!kernel.contains(name), "\(name)")
        }
        var tls = CounterScope()
        tls.add(.httpTLSFailure, [[.service: "web"]])
        #expect(tls.contains("http.web.tls-failed.http-request") && !tls.contains("http.app.tls-failed.reset"))
        var programs = CounterScope()
        programs.add(.program, [[.program: "nftables"]])
        #expect(programs.contains("nftables/refused.packets") && programs.contains("nftables/a:b_c"))
        #expect(!programs.contains("nftables/") && !programs.contains("nftables/a b") && !programs.contains("nft/a"))
    }
}
