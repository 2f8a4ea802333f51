import Appliances
import Configuration
import Dataplane
import LabEvents
import LabTime
import PacketText
import Redundancy
import TestSupport
import Testing
import VirtualNetwork
import Wire

/// A pair whose rules let only FTP's control connections through.
struct FirewallPinholeTests {
    /// The two ends of a control connection.
    private final class Conversation {
        let lab: FirewallLab
        let flow: FiveTuple
        var sequences: [UInt32] = [1, 1]
        /// The port that the server announced last.
        var port: UInt16 = 0

        init(_ lab: FirewallLab, port: UInt16 = 4000) {
            self.lab = lab
            var flow = lab.flow(port)
            flow.destinationPort = 21
            self.flow = flow
            lab.send(flow, .syn, from: lab.client)
            lab.run(for: .milliseconds(1))
            lab.send(flow.reversed, [.syn, .ack], from: lab.server)
            lab.run(for: .milliseconds(1))
            lab.send(flow, .ack, from: lab.client)
            lab.run(for: .milliseconds(1))
        }

        func say(_ line: String, isClient: Bool, for duration: Duration = .milliseconds(5)) {
            let host = isClient ? lab.client : lab.server
            let place = isClient ? 0 : 1
            guard let gateway = host.gatewayMAC else { return }
            let payload = Array((line + "\r\n").utf8)
            let flow = isClient ? flow : flow.reversed
            host.send(
                PacketText().bytes(
                    "\(flow.text) PSH,ACK seq \(sequences[place])", payload: payload, from: host.mac, to: gateway))
            sequences[place] += UInt32(payload.count)
            lab.run(for: duration)
        }

        func agree(on port: UInt16) {
            self.port = port
            say("PASV", isClient: true)
            say("227 Entering Passive Mode (198,51,100,20,\(port >> 8),\(port & 0xff))", isClient: false)
        }

        func data(to port: UInt16) -> FiveTuple {
            var data = flow
            (data.sourcePort, data.destinationPort) = (5000, port)
            return data
        }

        /// Whether a SYN to the server's port arrives there.
        func arrives(_ flow: FiveTuple) -> Bool {
            lab.server.received.removeAll()
            lab.send(flow, .syn, from: lab.client)
            lab.run(for: .milliseconds(5))
            return lab.server.received.contains { $0.frame.flow == flow }
        }
    }

    private func lab(gateways: [ApplicationGateway] = [.ftp], deferral: Duration? = nil, seed: UInt64 = 1) throws
        -> FirewallLab
    {
        let lab = try FirewallLab(
            seed: seed, usesVirtualMAC: true,
            configure: { _, configuration in
                configuration.applicationGateways = gateways
                configuration.redundancy?.deferral = deferral
                configuration.policy.rules = [
                    PolicyRule(name: "ftp", action: .allow, protocol: .tcp, destinationPorts: 21...21)
                ]
                configuration.policy.otherwise = .deny
            })
        try lab.startBoth()
        lab.run(for: .milliseconds(300))
        return lab
    }

    @Test func `a pinhole that was opened before the failover carries its connection after it`() throws {
        let lab = try lab()
        let conversation = Conversation(lab)
        conversation.agree(on: 3000)
        #expect(lab.counter(0, "pinholes") == 1 && lab.counter(1, "pinholes") == 1)
        #expect(lab.counter(1, "pinholes.adopted") == 1 && lab.counter(1, "pinholes.opened") == 0)
        lab.powerOff(0)
        lab.run(for: .milliseconds(500))
        #expect(!conversation.arrives(conversation.data(to: 3001)))
        #expect(lab.counter(1, "drop.policy") == 1)
        #expect(conversation.arrives(conversation.data(to: 3000)))
        #expect(lab.counter(1, "pinholes") == 0 && lab.counter(1, "pinholes.used") == 1)
        // And the control connection goes on there.
        conversation.agree(on: 3002)
        #expect(conversation.arrives(conversation.data(to: 3002)))
        #expect(lab.events(1, .pinholeUsed).count == 2)
    }

    @Test func `a predecessor's late word of a newer pinhole replaces what it told of before`() throws {
        let lab = try lab()
        let conversation = Conversation(lab)
        conversation.agree(on: 3000)
        conversation.say("PASV", isClient: true)
        lab.loss = 1000
        conversation.say("227 Entering Passive Mode (198,51,100,20,11,186)", isClient: false, for: .microseconds(100))
        lab.loss = 0
        _ = lab.perform(0, .switchover)
        lab.run(for: .milliseconds(50))
        #expect(lab.boxes[1].firewall.role == .active)
        #expect(conversation.arrives(conversation.data(to: 3002)))
        #expect(!conversation.arrives(conversation.data(to: 3000)))
        // What was opened here since is newer than any word of the predecessor's.
        conversation.agree(on: 3004)
        #expect(lab.counter(0, "pinholes") == 1 && conversation.arrives(conversation.data(to: 3004)))
    }

    @Test func `without the gateway the rules keep the data connection out`() throws {
        let lab = try lab(gateways: [])
        let conversation = Conversation(lab)
        conversation.agree(on: 3000)
        #expect(!conversation.arrives(conversation.data(to: 3000)))
        #expect(lab.counter(0, "drop.policy") == 1 && lab.counter(0, "pinholes") == 0)
    }

    @Test func `a bounce does not reach the server, and is counted and told`() throws {
        let lab = try lab()
        let conversation = Conversation(lab)
        lab.server.received.removeAll()
        conversation.say("PORT 192,0,2,99,15,160", isClient: true)
        #expect(lab.server.received.isEmpty)
        #expect(lab.counter(0, "pinholes.refused.bounce") == 1 && lab.counter(0, "drop.announcement") == 1)
        let told = try #require(lab.events(0, .pinholeRefused).first)
        #expect(told.details == [.reason: "bounce", .control: "192.0.2.10:4000 -> 198.51.100.20:21"])
        #expect(lab.counter(1, "pinholes") == 0)
    }

    @Test func `pinholes are among the connections that a person is shown`() throws {
        let lab = try lab()
        let conversation = Conversation(lab)
        conversation.agree(on: 3000)
        guard case .connections(let list) = lab.perform(0, .connections) else { return #expect(Bool(false)) }
        #expect(list.total == 2)
        #expect(
            list.connections.map(\.description).sorted() == [
                "192.0.2.10 -> 198.51.100.20:3000 protocol tcp state PINHOLE",
                "192.0.2.10:4000 -> 198.51.100.20:21 protocol tcp state ESTABLISHED:ESTABLISHED",
            ])
        let pinhole = try #require(list.connections.last)
        #expect(pinhole.timer == "pinhole")
        #expect(try #require(pinhole.remaining) > .seconds(59))
    }

    @Test func `where the pair defers, an announcement leaves once the peer has its pinhole`() throws {
        let lab = try lab(deferral: .milliseconds(50))
        let conversation = Conversation(lab)
        lab.run(for: .milliseconds(50))
        lab.delay = 5000...5000
        conversation.say("PASV", isClient: true)
        lab.client.received.removeAll()
        let sent = lab.now
        conversation.say(
            "227 Entering Passive Mode (198,51,100,20,11,184)", isClient: false, for: .milliseconds(30))
        let arrived = try #require(lab.client.received.first)
        #expect(arrived.at - sent >= .milliseconds(10) && arrived.at - sent < .milliseconds(12))
        #expect(lab.counter(1, "pinholes") == 1)
    }

    @Test func `a box that starts again gets the pinholes with the sessions`() throws {
        let lab = try lab()
        let conversation = Conversation(lab)
        conversation.agree(on: 3000)
        lab.powerOff(1)
        lab.run(for: .milliseconds(300))
        try lab.start(1)
        lab.run(for: .milliseconds(500))
        #expect(lab.counter(1, "pinholes") == 1)
        lab.powerOff(0)
        lab.run(for: .milliseconds(500))
        #expect(conversation.arrives(conversation.data(to: 3000)))
    }

    @Test func `no pinhole that was synced is lost, whatever becomes of the messages on the cross-connect`() throws {
        for seed in (0..<8).map({ _ in UInt64.random(in: .min ... .max) }) {
            let lab = try lab(seed: seed)
            (lab.loss, lab.duplication, lab.delay) = (300, 200, 20...3000)
            var random = SeededGenerator(seed: seed)
            let conversations = (0..<12).map { Conversation(lab, port: 4000 + $0) }
            for (number, conversation) in conversations.enumerated() {
                conversation.agree(on: 3000 + UInt16(number))
                // Some are replaced, and some are used before the failover.
                if Int.random(in: 0..<3, using: &random) == 0 { conversation.agree(on: 5000 + UInt16(number)) }
            }
            lab.run(for: .seconds(1))
            let waiting = lab.counter(0, "pinholes")
            #expect(waiting == 12 && lab.counter(1, "pinholes") == waiting, "seed \(seed)")
            let used = Int.random(in: 0..<12, using: &random)
            #expect(conversations[used].arrives(conversations[used].data(to: conversations[used].port)), "seed \(seed)")
            lab.run(for: .seconds(1))
            lab.powerOff(0)
            lab.run(for: .milliseconds(500))
            for (number, conversation) in conversations.enumerated() {
                var data = conversation.data(to: conversation.port)
                data.sourcePort = 6000
                #expect(
                    conversation.arrives(data) == (number != used), "seed \(seed), \(number) of which \(used) was used")
            }
        }
    }

    @Test func `a translated session is shown with what it leaves as`() throws {
        let lab = try FirewallLab(
            usesVirtualMAC: true,
            nat: { _ in
                NATConfiguration(
                    pools: [NATPool(name: "internet", addresses: [IPv4Address(198, 51, 100, 1)])],
                    rules: [NATRule(source: IPv4Network("192.0.2.0/24")!, pool: "internet")])
            })
        try lab.startBoth()
        lab.run(for: .milliseconds(300))
        lab.send(lab.flow(4000), .syn, from: lab.client)
        lab.run(for: .milliseconds(20))
        for box in 0..<2 {
            guard case .connections(let list) = lab.perform(box, .connections) else { return #expect(Bool(false)) }
            #expect(list.connections.map(\.translated) == ["198.51.100.1:4000 -> 198.51.100.20:80"], "box \(box)")
        }
    }
}
