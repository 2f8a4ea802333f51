import Netlink
import SystemPackage
import Testing

@Suite(
    "Offloads and sysctls",
    .enabled(if: NamespaceHost.canCreateNamespaces, Comment(rawValue: NamespaceHost.needsNamespaces)))
struct InterfaceSettingsTests {
    @Test func `all offloads of a veth can be turned off from outside its namespace`() throws {
        let (before, after) = try NamespaceThread.run {
            let inside = try NetworkNamespace.createAndEnter()
            var socket = try NetlinkSocket()
            try socket.perform(.createVethPair(VethEnd("a"), VethEnd("b")))
            _ = try NetworkNamespace.createAndEnter()
            let before = socket.offloads(of: "a")
            try socket.turnOff(on: "a")
            withExtendedLifetime(inside) {}
            return (before, socket.offloads(of: "a"))
        }
        #expect(before.contains(.transmitChecksum))
        #expect(after == [])
    }

    @Test func `offloads of a bridge can be turned off`() throws {
        let after = try NamespaceThread.run {
            _ = try NetworkNamespace.createAndEnter()
            var socket = try NetlinkSocket()
            try socket.perform(.createBridge("switch"))
            try socket.turnOff(on: "switch")
            return socket.offloads(of: "switch")
        }
        #expect(after == [])
    }

    @Test func `offloads of an interface that is not there are refused by name`() throws {
        let error = try NamespaceThread.run {
            _ = try NetworkNamespace.createAndEnter()
            let socket = try NetlinkSocket()
            return netlinkError { try socket.turnOff(on: "nowhere") }
        }
        #expect(error?.kind == .noSuchInterface)
        #expect(error?.interface == "nowhere")
    }

    @Test func `a sysctl belongs to the namespace of the thread that sets it`() throws {
        let path = "net/ipv4/conf/all/rp_filter"
        let values = try NamespaceThread.run {
            let first = try NetworkNamespace.createAndEnter()
            try Sysctl.set(path, 1)
            let second = try NetworkNamespace.createAndEnter()
            try Sysctl.set(path, 2)
            let there = try first.perform { try Sysctl.get(path) }
            withExtendedLifetime(second) {}
            return [there, try Sysctl.get(path)]
        }
        #expect(values == ["1", "2"])
    }

    @Test func `a sysctl that does not exist, and a value that is not allowed, are reported`() throws {
        let texts = try NamespaceThread.run {
            _ = try NetworkNamespace.createAndEnter()
            return [("net/ipv4/no_such_thing", "1"), ("net/ipv4/ip_forward", "perhaps"), ("net/../kernel/panic", "0")]
                .map {
                    do {
                        try Sysctl.set($0.0, $0.1)
                        return ""
                    } catch { return "\(error)" }
                }
        }
        #expect(texts[0].contains("this kernel has no such setting"))
        #expect(texts[1].contains("does not allow this value"))
        #expect(texts[2].contains("net/../kernel/panic"))
    }
}
