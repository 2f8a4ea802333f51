import LabFile
import Testing

@testable import Topology

/// The message about a lab, without the excerpts of the file.
private func messages(_ text: String) -> [String] {
    do {
        _ = try Lab(parsing: text, path: "lab.yaml")
        return []
    } catch {
        return error.errors.map { "lab.yaml:\($0)" }
    }
}

/// One change of the small lab, and the one message that it must give.
struct Mistake: Sendable, CustomTestStringConvertible {
    var old: String
    var new: String
    var message: String

    init(_ old: String, _ new: String, _ message: String) {
        (self.old, self.new, self.message) = (old, new, message)
    }

    var testDescription: String { new.split(separator: "\n").first.map(String.init) ?? "nothing" }
}

@Suite struct `A mistake in a lab file` {
    @Test func `is not made in the small lab`() {
        #expect(messages(SmallLab.text) == [])
    }

    @Test(arguments: [
        Mistake("schema: 1", "schema: 2", "lab.yaml:1:9: 'schema' is '2'; allowed: 1"),
        Mistake("schema: 1\n", "", "lab.yaml:1:1: a lab file needs the key 'schema'"),
        Mistake(
            "name: small", "name: Small Lab",
            "lab.yaml:2:7: 'Small Lab' cannot be the name of a lab; allowed: lower-case letters, digits, '-' and '_'"),
        Mistake(
            "{ outside: 192.0.2.10 }", "{ outside: { adress: 192.0.2.10 } }",
            "lab.yaml:10:30: unknown key 'adress' of an interface; allowed: network, address, mac; did you mean 'address'?"
        ),
        Mistake(
            "role: load-balancer", "role: loadbalancer",
            "lab.yaml:22:11: the role of 'lb' is 'loadbalancer'; allowed: client, backend, router, firewall, load-balancer, gateway-firewall, switch; did you mean 'load-balancer'?"
        ),
        Mistake(
            "role: client", "roll: client",
            "lab.yaml:8:3: node 'client' needs the key 'role'; allowed: client, backend, router, firewall, load-balancer, gateway-firewall, switch"
        ),
        Mistake(
            "name: small", "name: small\ntimers: fast", "lab.yaml:3:9: 'timers' is 'fast'; allowed: quick, vendor"),
        Mistake(
            "gateway: 192.0.2.1", "gateway: 192.0.2.1\n    redundancy: {}",
            "lab.yaml:12:5: unknown key 'redundancy' of a client; allowed: role, interfaces, gateway, routes, routing, services, loopback, tunnel, programs, image, sysctls, virtual-addresses"
        ),
    ])
    func `in a key or a word is told with what is allowed`(mistake: Mistake) {
        #expect(messages(SmallLab.replacing(mistake.old, mistake.new)) == [mistake.message])
    }

    @Test(arguments: [
        Mistake(
            "outside: 192.0.2.10 }", "outside: 192.0.2.300 }",
            "lab.yaml:10:28: the address of client.outside is '192.0.2.300'; allowed: an IP address such as 192.0.2.1 or 2001:db8::1, auto, none"
        ),
        Mistake(
            "outside: 192.0.2.10 }", "outside: 192.0.3.10 }",
            "lab.yaml:10:28: the address 192.0.3.10 of client.outside is outside network 'outside'; allowed: 192.0.2.1 to 192.0.2.254"
        ),
        Mistake(
            "outside: 192.0.2.10 }", "outside: 192.0.2.10/25 }",
            "lab.yaml:10:28: the prefix length /25 of client.outside is not that of network 'outside'; allowed: /24"),
        Mistake(
            "outside: 192.0.2.10 }", "outside: 192.0.2.2 }",
            "lab.yaml:14:28: 192.0.2.2 of fw-a.outside belongs to client.outside already (line 10)"),
        Mistake(
            "outside: 192.0.2.10 }", "outside: 192.0.2.255 }",
            "lab.yaml:10:28: the address 192.0.2.255 of client.outside is the broadcast address of 'outside'; allowed: 192.0.2.1 to 192.0.2.254"
        ),
        Mistake(
            "outside: 192.0.2.10 }", "outside: 192.0.2.1 }",
            "lab.yaml:17:29: 192.0.2.1 of the pair 'fw-a' and 'fw-b' belongs to client.outside already (line 10)"),
        Mistake(
            "outside: 192.0.2.10 }", "outside: { mac: 01:00:5e:00:00:01 } }",
            "lab.yaml:10:35: the MAC address of client.outside is '01:00:5e:00:00:01'; allowed: a MAC address such as 02:00:5e:10:00:01, no group address"
        ),
        Mistake(
            "gateway: 192.0.2.1", "gateway: 192.0.2.99",
            "lab.yaml:11:14: the gateway of 'client' is 192.0.2.99, which nobody has on network 'outside'; allowed: 192.0.2.1 (the pair 'fw-a' and 'fw-b'), 192.0.2.2 (fw-a.outside), 192.0.2.3 (fw-b.outside), 'virtual-addresses' of network 'outside', where a program takes it"
        ),
        Mistake(
            "gateway: 192.0.2.1", "gateway: 198.51.100.1",
            "lab.yaml:11:14: the gateway of 'client' is 198.51.100.1, which is on none of its networks; allowed: an address in 192.0.2.0/24 (outside)"
        ),
        Mistake(
            "gateway: fw-a.inside", "gateway: fw-a.insid",
            "lab.yaml:24:14: the gateway of 'lb' is 'fw-a.insid'; allowed: an IP address such as 192.0.2.1 or 2001:db8::1, node.interface; did you mean 'fw-a.inside'?"
        ),
        Mistake(
            "outside: 192.0.2.0/24", "outside: 192.0.2.1/24",
            "lab.yaml:4:12: the subnet of network 'outside' is '192.0.2.1/24'; allowed: an IPv4 network such as 192.0.2.0/24, with no bit set behind the prefix; did you mean '192.0.2.0/24'?"
        ),
        Mistake(
            "inside: 198.51.100.0/24", "inside: { subnet: 198.51.100.0/24, mtu: 9217 }",
            "lab.yaml:5:43: network 'inside' has the MTU 9217, and 'fw-a' carries packets of 9216 bytes at most; allowed: an MTU of 68 to 9216"
        ),
        Mistake(
            "inside: 198.51.100.0/24", "inside: 192.0.2.128/25",
            "lab.yaml:5:11: the subnet 192.0.2.128/25 of 'inside' overlaps with 192.0.2.0/24 of 'outside'"),
        Mistake(
            "listen: 198.51.100.100:80/tcp", "listen: 198.51.100.2:80",
            "lab.yaml:27:17: 198.51.100.2 of virtual service lb/web belongs to fw-a.inside already (line 14)"),
    ])
    func `in an address is told with the owner or the range`(mistake: Mistake) {
        #expect(messages(SmallLab.replacing(mistake.old, mistake.new)) == [mistake.message])
    }

    @Test(arguments: [
        Mistake(
            "outside: 192.0.2.10 }", "outsid: 192.0.2.10 }",
            "lab.yaml:10:19: client.outsid leads to network 'outsid', which does not exist; allowed: outside, inside, servers; did you mean 'outside'?"
        ),
        Mistake(
            "outside: 192.0.2.10 }", "outside-the-firewall: 192.0.2.10 }",
            "lab.yaml:10:19: the name 'outside-the-firewall' of an interface has 20 characters; allowed: at most 15, as an interface's name in the kernel"
        ),
        Mistake(
            "outside: 192.0.2.10 }", "host0: { network: outside } }",
            "lab.yaml:10:19: 'host0' cannot be the name of an interface: every node has one already"),
        Mistake(
            "client:\n    role: client", "client-of-the-lab:\n    role: client",
            "lab.yaml:8:3: the name 'client-of-the-lab' of a node has 17 characters; allowed: at most 15, as an interface's name in the kernel"
        ),
        Mistake(
            "backend-1:\n    role: backend", "inside:\n    role: backend",
            "lab.yaml:5:3: 'inside' is the name of a network and of a node (line 30)"),
        Mistake(
            "servers:\nnodes", "servers:\n  unused: 10.9.0.0/24\nnodes",
            "lab.yaml:7:3: no interface leads to network 'unused'"),
        Mistake(
            "backend-1:\n    role: backend\n    interfaces: { servers: }",
            "backend-1:\n    role: backend\n    interfaces: { inside: }",
            "lab.yaml:6:3: only lb.servers leads to network 'servers': a link needs two ends; allowed: a second interface, 'switch: on' for a switch with one port"
        ),
        Mistake(
            "inside: 198.51.100.0/24", "inside: { subnet: 198.51.100.0/24, switch: off }",
            "lab.yaml:5:46: network 'inside' joins 3 interfaces, which needs a switch; allowed: on"),
    ])
    func `in a name or a link is told`(mistake: Mistake) {
        #expect(messages(SmallLab.replacing(mistake.old, mistake.new)) == [mistake.message])
    }

    @Test(arguments: [
        Mistake(
            "peer: fw-b", "peer: fw-c",
            "lab.yaml:16:13: the peer of 'fw-a' is 'fw-c', which does not exist; allowed: fw-b; did you mean 'fw-b'?"),
        Mistake(
            "peer: fw-b", "peer: lb",
            "lab.yaml:16:13: the peer of 'fw-a' is 'lb', which is a load balancer; allowed: fw-b"),
        Mistake(
            "outside: 192.0.2.1, inside: 198.51.100.1", "outside: 192.0.2.1, insid: 198.51.100.1",
            "lab.yaml:17:40: 'fw-a' has no interface 'insid'; allowed: outside, inside; did you mean 'inside'?"),
        Mistake(
            "peer: fw-b", "peer: fw-b\n      advertise-every: 100",
            "lab.yaml:17:24: 'advertise-every' of redundancy is '100' without a unit; allowed: a time with its unit, such as 500us, 10ms, 1s or 2m"
        ),
        Mistake(
            "peer: fw-b", "peer: fw-b\n      advertise-every: 1ms",
            "lab.yaml:17:24: 'advertise-every' of redundancy is '1ms'; allowed: 10ms to 40950ms"),
        Mistake(
            "peer: fw-b", "peer: fw-b\n      virtual-mac: maybe",
            "lab.yaml:17:20: 'virtual-mac' of redundancy is 'maybe'; allowed: on, off"),
        Mistake(
            "inside: 198.51.100.3 }",
            "inside: 198.51.100.3 }\n    redundancy: { preempt: on }\n  fw-c: { role: firewall, interfaces: { outside: }, redundancy: { peer: fw-a } }",
            "lab.yaml:22:73: 'fw-a' has the peer 'fw-b' (line 16), so it cannot be the peer of 'fw-c' too"),
        Mistake(
            "inside: 198.51.100.3 }",
            "inside: 198.51.100.3 }\n    redundancy: { priority: 100 , preempt: on }\n    routes: { 10.0.0.1/8: 192.0.2.10 }",
            "lab.yaml:22:15: '10.0.0.1/8' is no destination of a route; allowed: an IP network such as 192.0.2.0/24 or 2001:db8::/64, with no bit set behind the prefix, default; did you mean '10.0.0.0/8'?"
        ),
        Mistake(
            "inside: 198.51.100.3 }", "inside: 198.51.100.3 }\n    redundancy: { addresses: { outside: 192.0.2.9 } }",
            "lab.yaml:21:32: the virtual addresses of 'fw-b' differ from its peer's; they count for both boxes, so one of them is enough"
        ),
    ])
    func `in a pair is told`(mistake: Mistake) {
        #expect(messages(SmallLab.replacing(mistake.old, mistake.new)) == [mistake.message])
    }

    @Test(arguments: [
        Mistake(
            "profile: tcp-fast-path", "profile: udp-fast-path",
            "lab.yaml:28:18: profile 'udp-fast-path' carries udp, but 'web' listens on 198.51.100.100:80/tcp; allowed: tcp-fast-path, tcp-proxy, http"
        ),
        Mistake(
            "pool: [backend-1:8080]", "pool: [backend-2:8080]",
            "lab.yaml:29:16: a pool member is 'backend-2', but there is no node 'backend-2'; allowed: client, fw-a, fw-b, lb, backend-1; did you mean 'backend-1'?"
        ),
        Mistake("pool: [backend-1:8080]", "pool: []", "lab.yaml:29:15: a pool needs at least one member"),
        Mistake(
            "pool: [backend-1:8080]", "pool: [backend-1:8080]\n        monitor: http",
            "lab.yaml:30:18: an http monitor asks port 8080, where traffic program 'existing' needs an echo service; allowed: a tcp monitor, 'port' for a port of the monitor's own"
        ),
        Mistake(
            "listen: 198.51.100.100:80/tcp", "listen: 198.51.100.100",
            "lab.yaml:27:17: 'listen' of virtual service 'web' is '198.51.100.100'; allowed: address:port or address:port/protocol, such as 198.51.100.100:80/tcp or [2001:db8::100]:80/tcp"
        ),
        Mistake(
            "to: lb/web", "to: lb/wbe",
            "lab.yaml:34:33: there is no virtual service 'lb/wbe'; allowed: lb/web; did you mean 'lb/web'?"),
        Mistake(
            "from: client", "from: lb",
            "lab.yaml:34:21: traffic comes from 'lb', which is a box; it can come from nodes with the kernel's own stack; allowed: client, backend-1"
        ),
        Mistake(
            "kind: tcp-stream", "kind: udp",
            "lab.yaml:34:33: kind udp speaks udp, but lb/web has the profile tcp-fast-path"),
        Mistake(
            "every: 10ms", "every: 10ms, flows: 0",
            "lab.yaml:34:79: 'flows' of a traffic program is '0'; allowed: a whole number from 1 to 1000"),
    ])
    func `in a service or its traffic is told`(mistake: Mistake) {
        #expect(messages(SmallLab.replacing(mistake.old, mistake.new)) == [mistake.message])
    }

    @Test(arguments: [
        Mistake(
            "start: existing", "start: exsting",
            "lab.yaml:36:12: there is no traffic program 'exsting'; allowed: existing; did you mean 'existing'?"),
        Mistake(
            "start: existing", "begin: existing",
            "lab.yaml:36:5: a step of the scenario is 'begin'; allowed: start, stop, wait, wait-for, fail, push, exec, signal, restart, sysctl, route, address, rule, clear"
        ),
        Mistake(
            "switchover: fw-a", "switchover: lb",
            "lab.yaml:37:25: 'lb' has no peer to switch over to; allowed: fw-a, fw-b"),
        Mistake(
            "switchover: fw-a", "link-down: fw-a.insid",
            "lab.yaml:37:24: 'link-down' is 'fw-a.insid', which is no interface; allowed: fw-a.outside, fw-a.inside; did you mean 'fw-a.inside'?"
        ),
        Mistake(
            "switchover: fw-a", "switch-over: fw-a",
            "lab.yaml:37:13: unknown fault 'switch-over'; allowed: switchover, power-off, power-on, link-down, link-up, hang, resume, kill, start, arm, disarm, release, weight; did you mean 'switchover'?"
        ),
        Mistake(
            "existing: timed-out", "existing: timeout",
            "lab.yaml:41:15: the outcome of 'existing' is 'timeout'; allowed: survived, timed-out, reset, refused, failed, mixed, survives, succeeds; did you mean 'timed-out'?"
        ),
        Mistake(
            "existing: timed-out", "existing: { longest-gap: \"< 1\" }",
            "lab.yaml:41:30: 'longest-gap' is '< 1'; allowed: a comparison with a time and its unit, such as \"< 1s\""),
        Mistake(
            "on: lb.inside", "on: lb.insde",
            "lab.yaml:42:19: 'on' is 'lb.insde', which is no interface; allowed: lb.inside, lb.servers; did you mean 'lb.inside'?"
        ),
        Mistake(
            "after: failover", "after: failver",
            "lab.yaml:42:79: there is no event 'failver'; allowed: failover; did you mean 'failover'?"),
        Mistake(
            "after: failover", "after: failover + 2",
            "lab.yaml:42:79: a point in time is 'failover + 2'; allowed: event, event + time, event - time, such as fw-b.active + 200ms"
        ),
        Mistake(
            "eth.dst: fw-a.inside.mac", "eth.dst: fw-a.inside.mca",
            "lab.yaml:43:23: eth.dst takes a MAC address (02:00:5e:00:01:0a), not 'fw-a.inside.mca'; did you mean 'fw-a.inside.mac'?"
        ),
        Mistake(
            "lb/web.address", "lb/wbe.address",
            "lab.yaml:42:37: 'lb/wbe.address' refers to nothing; allowed: node.interface.mac, node.interface.ip, node.interface.ip6, node.interface.virtual-mac, node.interface.virtual-ip, balancer/service.address, balancer/service.port, firewall/pool.address, network/virtual-address.address; did you mean 'lb/web.address'?"
        ),
        Mistake(
            "    every: { eth.dst: fw-a.inside.mac }", "",
            "lab.yaml:42:5: an expectation of frames needs a requirement beside 'frames'; allowed: every, some, none, count, first, sequence"
        ),
        Mistake(
            "existing: timed-out", "existng: timed-out",
            "lab.yaml:41:5: an expectation is about 'existng'; allowed: frames, event, log, counter, moved, carried-over, outage, existing; did you mean 'existing'?"
        ),
    ])
    func `in the scenario or an expectation is told`(mistake: Mistake) {
        #expect(messages(SmallLab.replacing(mistake.old, mistake.new)) == [mistake.message])
    }

    @Test func `in a field's name is told with the nearest field`() throws {
        let seen = messages(SmallLab.replacing("eth.dst: fw-a.inside.mac", "eth.dest: fw-a.inside.mac"))
        #expect(seen.count == 1)
        let first = try #require(seen.first)
        #expect(first.hasPrefix("lab.yaml:43:14: unknown field 'eth.dest' of a frame; allowed: eth.src, eth.dst, "))
        #expect(first.hasSuffix("; did you mean 'eth.dst'?"))
    }

    @Test func `is told together with the others`() {
        let text = SmallLab.replacing("profile: tcp-fast-path", "profile: tcp-fastpath")
            .split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.contains("gateway: 192.0.2.1") ? "    gatway: 192.0.2.1" : String($0) }.joined(separator: "\n")
        #expect(messages(text).map { $0.prefix(17) } == ["lab.yaml:11:5: un", "lab.yaml:28:18: '"])
    }

    @Test func `in a variant is told where the variant has it, once for all variants`() {
        let variants = """

            variants:
              one: { shows: symptom, change: { nodes: { lb: { gatewy: 192.0.2.1 } } } }
              two: { shows: remedy, extends: one }
              three: { shows: remedy, extends: tow }
              four: { shows: remedy, extends: five }
              five: { shows: remedy, extends: four }
              six: { show: remedy }
            """
        #expect(
            messages(SmallLab.text + variants) == [
                "lab.yaml:45:51: unknown key 'gatewy' of a load balancer; allowed: role, interfaces, gateway, routes, routing, virtual-services, pools, programs, image, sysctls, virtual-addresses; did you mean 'gateway'?",
                "lab.yaml:47:36: variant 'three' extends 'tow', which is no variant; allowed: one, two, four, five, six; did you mean 'two'?",
                "lab.yaml:48:35: variant 'four' extends 'five' in a circle",
                "lab.yaml:49:35: variant 'five' extends 'four' in a circle",
                "lab.yaml:50:3: variant 'six' needs the key 'shows'; allowed: symptom, remedy, control",
                "lab.yaml:50:10: unknown key 'show' of a variant; allowed: shows, title, on-request, extends, change, expect; did you mean 'shows'?",
            ])
    }
}
