import Appliances
import Impairment
import LabEvents
import LabTime
import PacketText
import Testing
import VirtualNetwork
import Wire

struct VirtualNetworkTests {
    private static let text = PacketText(stations: ["a": mac(1), "b": mac(2), "c": mac(3), "all": .broadcast])

    private static func mac(_ number: UInt8) -> MACAddress { MACAddress(2, 0, 0, 0, 0, number) }

    private static func host(_ network: VirtualNetwork, _ name: String, _ number: UInt8) -> VirtualHost {
        network.addHost(name, mac: mac(number), addresses: [.ipv4(IPv4Address(10, 0, 0, number))])
    }

    private static func data(_ number: Int, to name: String = "b") throws -> [UInt8] {
        try text.frame("a>\(name) udp 10.0.0.1:1000 > 10.0.0.2:\(number)")
    }

    /// Ports of the datagrams that a host received, in order.
    private static func numbers(_ host: VirtualHost) -> [Int] {
        host.received.map { Int($0.bytes[36]) << 8 | Int($0.bytes[37]) }
    }

    /// Two hosts and a cable.
    private static func pair(
        seed: UInt64 = 1, _ rules: (VirtualNetwork) -> [FaultRule] = { _ in [] }
    ) -> (network: VirtualNetwork, a: VirtualHost, b: VirtualHost, cable: VirtualCable) {
        let network = VirtualNetwork(seed: seed)
        let (a, b) = (host(network, "a", 1), host(network, "b", 2))
        return (network, a, b, network.connect("cable", a, 0, b, 0, rules: rules(network)))
    }

    @Test func `a cable without rules delivers within the instant, in order`() throws {
        let (network, a, b, _) = Self.pair()
        for number in 1...5 { a.send(try Self.data(number)) }
        #expect(b.received.isEmpty)
        network.settle()
        #expect(Self.numbers(b) == [1, 2, 3, 4, 5])
        #expect(b.received.allSatisfy { $0.at == network.origin })
        #expect(network.steps == 5 && network.now == network.origin)
    }

    @Test func `a delay passes virtual time`() throws {
        let (network, a, b, _) = Self.pair { [$0.rule("delay", .delay(Delay(.fixed(.milliseconds(3)))))] }
        a.send(try Self.data(1))
        network.run(for: .milliseconds(2))
        #expect(b.received.isEmpty)
        network.run(for: .milliseconds(2))
        #expect(b.received.map { $0.at - network.origin } == [.milliseconds(3)])
        #expect(network.now == network.origin + .milliseconds(4))
    }

    /// Loss, copies, reordering and a random delay, all at once.
    private static func troubled(seed: UInt64) throws -> (numbers: [Int], tally: CableTally, trace: String) {
        let (network, a, b, cable) = pair(seed: seed) { network in
            [
                network.rule("loss", .lose(Loss(rate: 0.2))),
                network.rule("copies", .duplicate(Duplication()), FrameSelection(occurrence: .everyNth(5))),
                network.rule("order", .reorder(Reordering(behind: 2)), FrameSelection(occurrence: .everyNth(7))),
                network.rule("delay", .delay(Delay(.uniform(from: .zero, to: .milliseconds(1))))),
            ]
        }
        network.isTracing = true
        for number in 1...200 {
            a.send(try data(number))
            network.run(for: .microseconds(100))
        }
        network.run(for: .seconds(1))
        return (numbers(b), cable.tally, network.traceText(text, detail: .brief))
    }

    @Test func `faults follow from the seed`() throws {
        let (one, again, other) = (
            try Self.troubled(seed: 1), try Self.troubled(seed: 1), try Self.troubled(seed: 2)
        )
        #expect(one.numbers == again.numbers && one.trace == again.trace)
        #expect(one.numbers != other.numbers)
        #expect(one.tally.dropped > 20 && one.tally.dropped < 60)
        #expect(one.numbers.count == 200 - Int(one.tally.dropped) + one.numbers.count - Set(one.numbers).count)
        #expect(Set(one.numbers).count < one.numbers.count, "nothing came twice")
        #expect(one.numbers != one.numbers.sorted(), "nothing was overtaken")
    }

    @Test func `what a pulled cable carried is lost`() throws {
        let (network, a, b, cable) = Self.pair { [$0.rule("delay", .delay(Delay(.fixed(.milliseconds(3)))))] }
        a.send(try Self.data(1))
        cable.loseFrames()
        a.send(try Self.data(2))
        network.run(for: .milliseconds(5))
        #expect(Self.numbers(b) == [2])
    }

    @Test func `hosts answer for their addresses, and learn who asks and who answers`() {
        let (network, a, b, _) = Self.pair()
        a.ask(for: .ipv4(IPv4Address(10, 0, 0, 2)))
        a.ask(for: .ipv4(IPv4Address(10, 0, 0, 9)))
        network.settle()
        #expect(a.neighbors == [.ipv4(IPv4Address(10, 0, 0, 2)): Self.mac(2)])
        #expect(b.neighbors == [.ipv4(IPv4Address(10, 0, 0, 1)): Self.mac(1)])
        b.answers = false
        a.neighbors = [:]
        a.ask(for: .ipv4(IPv4Address(10, 0, 0, 2)))
        network.settle()
        #expect(a.neighbors == [:])
    }

    @Test func `hosts resolve IPv6 addresses`() {
        let network = VirtualNetwork()
        let hosts = (1...2 as ClosedRange<UInt8>).map {
            network.addHost("h\($0)", mac: Self.mac($0), addresses: [.ipv6(IPv6Address("fe80::\($0)")!)])
        }
        network.connect("cable", hosts[0], 0, hosts[1], 0)
        hosts[0].ask(for: .ipv6(IPv6Address("fe80::2")!))
        network.settle()
        #expect(hosts[0].neighbors == [.ipv6(IPv6Address("fe80::2")!): Self.mac(2)])
        #expect(hosts[1].neighbors == [.ipv6(IPv6Address("fe80::1")!): Self.mac(1)])
    }

    @Test func `a hub sends to everybody, a switch to the port where it saw the address`() throws {
        for learns in [false, true] {
            let network = VirtualNetwork()
            let hub = network.addSwitch("hub")
            hub.learns = learns
            var seen: [String] = []
            let hosts = ["a", "b", "c"].enumerated().map { index, name in
                let host = Self.host(network, name, UInt8(index + 1))
                network.connect(hub, to: host)
                return host
            }
            network.onFrame = { seen.append($0.sender) }
            hosts[1].send(try Self.text.frame("b>all udp 10.0.0.2:1 > 10.0.0.1:1"))
            network.settle()
            hosts[0].send(try Self.data(5))
            network.settle()
            #expect(Self.numbers(hosts[1]) == [5] && hosts[2].received.isEmpty)
            // A frame to another's address shows who it reaches.
            let before = network.steps
            hosts[0].send(try Self.data(6))
            network.settle()
            #expect(network.steps - before == (learns ? 1 : 2))
            #expect(seen == ["b", "a", "a"])
        }
    }

    @Test func `stations that are apart reach others alone, and a switch without power reaches nobody`() throws {
        let network = VirtualNetwork()
        let hub = network.addSwitch("hub")
        let hosts = ["a", "b", "c"].enumerated().map { index, name in
            let host = Self.host(network, name, UInt8(index + 1))
            network.connect(hub, to: host)
            return host
        }
        hub.setSeparated(hosts[0], hosts[1], true)
        hosts[0].send(try Self.data(1))
        hosts[0].send(try Self.data(2, to: "c"))
        network.settle()
        #expect(Self.numbers(hosts[1]) == [] && Self.numbers(hosts[2]) == [2])
        hub.setSeparated(hosts[0], hosts[1], false)
        hosts[0].send(try Self.data(3))
        hub.isUp = false
        network.settle()
        #expect(Self.numbers(hosts[1]) == [])
        hub.isUp = true
        hosts[0].send(try Self.data(4))
        network.settle()
        #expect(Self.numbers(hosts[1]) == [4])
    }

    @Test func `a box forwards, fires its timers, and is off, restarted and without carrier`() throws {
        let network = VirtualNetwork()
        let (a, b) = (Self.host(network, "a", 1), Self.host(network, "b", 2))
        let box = network.add("box", ports: ["left", "right"], Repeater())
        network.connect("left", a, 0, box, 0)
        network.connect("right", box, 1, b, 0)
        network.isTracing = true
        a.send(try Self.data(1))
        network.settle()
        #expect(b.received.isEmpty, "it does not run")
        box.start()
        #expect(box.events.map(\.kind) == [.ready])
        a.send(try Self.data(2))
        network.settle()
        #expect(Self.numbers(b) == [2])
        network.run(for: .milliseconds(25))
        #expect(network.trace.count { $0.sender == "box" && $0.bytes == [1] } == 2)
        box.setCarrier(1, isUp: false)
        #expect(box.events.last?.kind == .armed)
        a.send(try Self.data(3))
        network.settle()
        #expect(Self.numbers(b) == [2])
        box.powerOff()
        #expect(box.perform(.switchover) == .refused(reason: "the box does not run"))
        network.run(for: .milliseconds(25))
        #expect(network.trace.count { $0.bytes == [1] } == 2)
        box.setCarrier(1, isUp: true)
        box.start(Repeater())
        #expect(box.incarnation == 2 && box.perform(.switchover) == .refused(reason: "it repeats"))
        a.send(try Self.data(4))
        network.settle()
        #expect(Self.numbers(b) == [2, 4])
        #expect(box.process(try Self.data(5), on: 0).map(\.port) == [1])
        // What comes while it is off is lost, and does not wait for the next start.
        box.powerOff()
        #expect(box.process(try Self.data(6), on: 0).isEmpty)
        box.start()
        #expect(box.process(try Self.data(7), on: 0).count == 1)
    }

    @Test func `the trace is text`() throws {
        let (network, a, _, _) = Self.pair()
        network.isTracing = true
        network.run(for: .milliseconds(1500))
        a.send(try Self.data(1))
        a.ask(for: .ipv4(IPv4Address(10, 0, 0, 2)))
        network.settle()
        #expect(
            network.traceText(Self.text, detail: .brief) == """
                1.500000 cable a: a>b udp 10.0.0.1:1000 > 10.0.0.2:1
                1.500000 cable a: a>all arp who-has 10.0.0.2 tell 10.0.0.1
                1.500000 cable b: b>a arp 10.0.0.2 is-at b
                """)
    }
}
