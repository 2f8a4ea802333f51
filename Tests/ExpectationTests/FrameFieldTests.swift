import Expectation
import Testing

struct FrameFieldTests {
    @Test func `every name in the list is a field, and reads back as itself`() {
        #expect(Set(FrameField.allNames).count == FrameField.allNames.count)
        for name in FrameField.allNames { #expect(FrameField(name)?.description == name) }
    }

    @Test(arguments: ["eth.destination", "inner.eth.src", "inner.arp.op", "inner.inner.ip.src", "", "inner."])
    func `what is not in the list is no field`(name: String) {
        #expect(FrameField(name) == nil)
    }

    @Test(arguments: [
        ("eth.dst", "02:00:5e:00:01:0a"), ("eth.dst", "02-00-5E-00-01-0A"), ("eth.type", "arp"),
        ("eth.type", "0x0800"), ("arp.op", "reply"), ("arp.op", "1"), ("arp.target.ip", "192.0.2.1"),
        ("ip.src", "192.0.2.0/24"), ("ip.proto", "vrrp"), ("ip.proto", "TCP"), ("ip.ttl", "255"), ("ip.df", "true"),
        ("ip.df", "off"), ("tcp.flags", "SYN-ACK"), ("tcp.flags", "SA"), ("tcp.flags", "+FIN"),
        ("tcp.flags", "none"), ("tcp.seq", "4294967295"), ("udp.len", "0"), ("vrrp.interval", "100ms"),
        ("vrrp.interval", "100"), ("inner.tcp.srcport", "443"), ("ip.id", "0xbeef"),
    ])
    func `a right value is accepted`(name: String, value: String) throws {
        #expect(try #require(FrameField(name)).validate(value) == nil)
    }

    @Test(arguments: [
        ("eth.dst", "02:00:5e:00:01"), ("eth.dst", "fw-a.inside.mac"), ("ip.src", "192.0.2.256"),
        ("ip.src", "192.0.2.1/24"), ("ip.ttl", "256"), ("ip.ttl", "-1"), ("ip.df", "maybe"), ("tcp.flags", "SYM"),
        ("tcp.flags", ""), ("tcp.flags", "+"), ("tcp.seq", "4294967296"), ("icmp.code", "port-unreachable"),
        ("tcp.srcport", "http"), ("vrrp.interval", "ms"),
    ])
    func `a wrong value is refused with what is allowed`(name: String, value: String) throws {
        let field = try #require(FrameField(name))
        let reason = try #require(field.validate(value))
        #expect(reason.hasPrefix("\(name) takes "))
        #expect(reason.hasSuffix("not '\(value)'"))
    }

    @Test func `a check states what is wrong with it`() {
        #expect(FieldCheck(field: "ip.sauce", condition: .equals("x")).problem == "there is no field 'ip.sauce'")
        #expect(FieldCheck(field: "ip.ttl", condition: .compares(.init(.less, 5))).problem == nil)
        #expect(
            FieldCheck(field: "eth.dst", condition: .compares(.init(.less, 5))).problem
                == "eth.dst is not a number: '<' cannot compare it")
        #expect(FieldCheck(field: "ip.ttl", condition: .isOneOf([])).problem == "ip.ttl needs at least one value")
        #expect(FieldCheck(field: "ip.ttl", condition: .isOneOf(["1", "x"])).problem?.hasSuffix("not 'x'") == true)
    }
}
