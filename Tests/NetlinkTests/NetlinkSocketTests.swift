import Netlink
import SystemPackage
import Testing
import Wire

/// Everything happens in namespaces that are made in the test, on a thread of its own.
@Suite(
    "Netlink against the kernel",
    .enabled(if: NamespaceHost.canCreateNamespaces, Comment(rawValue: NamespaceHost.needsNamespaces)))
struct NetlinkSocketTests {
    let macA = MACAddress(0x02, 0, 0, 0, 0, 0x0a)
    let macB = MACAddress(0x02, 0, 0, 0, 0, 0x0b)

    @Test func `a veth pair appears in two namespaces with its names, addresses and indexes`() throws {
        let (macA, macB) = (macA, macB)
        let (a, b, home) = try NamespaceThread.run {
            let home = try NetworkNamespace.createAndEnter()
            let left = try NetworkNamespace.create()
            let right = try NetworkNamespace.create()
            var socket = try NetlinkSocket()
            try socket.perform(
                .createVethPair(
                    VethEnd("inside", mac: macA, mtu: 1400, index: 50, namespace: left.descriptor),
                    VethEnd("uplink", mac: macB, index: 51, namespace: right.descriptor)))
            var inLeft = try NetlinkSocket(in: left.descriptor)
            var inRight = try NetlinkSocket(in: right.descriptor)
            try inLeft.perform(.setUp("inside"))
            try inRight.perform(.setUp("uplink"))
            withExtendedLifetime(home) {}
            return (try inLeft.link("inside"), try inRight.link("uplink"), try socket.links().map(\.name))
        }
        #expect(home == ["lo"])
        #expect(a?.index == 50)
        #expect(a?.mac == macA)
        #expect(a?.mtu == 1400)
        #expect(a?.kind == "veth")
        #expect(a?.peer == 51)
        #expect(a?.isUp == true)
        #expect(b?.index == 51)
        #expect(b?.mac == macB)
        #expect(b?.mtu == 1500)
        #expect(b?.hasCarrier == true)
    }

    @Test func `one call builds a switch with two ports, addresses and routes`() throws {
        let (links, addresses, routes, direct) = try NamespaceThread.run {
            _ = try NetworkNamespace.createAndEnter()
            var socket = try NetlinkSocket()
            try socket.perform([
                .setUp(.loopback),
                .createBridge("servers"),
                .createVethPair(VethEnd("port1"), VethEnd("inside")),
                .createVethPair(VethEnd("port2"), VethEnd("uplink")),
                .setMaster(of: "port1", to: "servers"),
                .setMaster(of: "port2", to: "servers"),
                .setUp("servers"), .setUp("port1"), .setUp("port2"), .setUp("inside"), .setUp("uplink"),
                .addAddress(IPv4InterfaceAddress("192.0.2.1/24")!, to: "inside"),
                .addAddress(IPv6InterfaceAddress("2001:db8::1/64")!, to: "inside"),
                .addAddress(
                    IPv4InterfaceAddress("203.0.113.9/32")!, to: .loopback, scope: .host, options: .withoutPrefixRoute),
                .addRoute(Route(to: IPv4Network("198.51.100.0/24")!, gateway: IPv4Address(192, 0, 2, 254))),
                .addRoute(Route(to: IPv6Network("::/0")!, gateway: IPv6Address("2001:db8::fe")!, metric: 7)),
                .addRoute(
                    Route(
                        to: IPv4Network("203.0.113.0/24")!, gateway: IPv4Address(10, 0, 0, 1), device: "uplink",
                        isOnLink: true)),
                .setPermanentNeighbor(.ipv4(IPv4Address(192, 0, 2, 254)), mac: macB, on: "inside"),
            ])
            let inside = try socket.index(of: "inside")
            let uplink = try socket.index(of: "uplink")
            return (
                try socket.links(), try socket.addresses().filter { $0.scope != .link }, try socket.routes(),
                (inside: inside, uplink: uplink)
            )
        }
        let bridge = links.first { $0.name == "servers" }
        #expect(bridge?.kind == "bridge")
        #expect(links.filter { $0.master == bridge?.index }.map(\.name).sorted() == ["port1", "port2"])
        #expect(links.allSatisfy { $0.isUp })
        #expect(addresses.contains { $0.address == .ipv4(IPv4Address(192, 0, 2, 1)) && $0.link == direct.inside })
        #expect(addresses.contains { $0.address.description == "2001:db8::1" && $0.prefixLength == 64 })
        #expect(addresses.contains { $0.address.description == "203.0.113.9" && $0.scope == .host && $0.link == 1 })
        let texts = Set(routes.map(\.description))
        #expect(texts.contains("198.51.100.0/24 via 192.0.2.254 dev #\(direct.inside)"))
        #expect(texts.contains("default via 2001:db8::fe dev #\(direct.inside) metric 7"))
        #expect(texts.contains("203.0.113.0/24 via 10.0.0.1 dev #\(direct.uplink) onlink"))
    }

    @Test func `what was added can be changed and deleted`() throws {
        let mac = macA
        let (renamed, addresses, routes, links) = try NamespaceThread.run {
            _ = try NetworkNamespace.createAndEnter()
            let other = try NetworkNamespace.create()
            var socket = try NetlinkSocket()
            let route = Route(to: IPv4Network.any, gateway: IPv4Address(192, 0, 2, 254))
            let neighbor = NetworkAddress.ipv4(IPv4Address(192, 0, 2, 7))
            try socket.perform([
                .createVethPair(VethEnd("a"), VethEnd("b")),
                .createVethPair(VethEnd("c"), VethEnd("d")),
                .createBridge("switch"),
                .setMaster(of: "b", to: "switch"), .removeMaster(of: "b"),
                .setMAC(mac, of: "a"), .setMTU(1300, of: "a"), .rename("a", to: "inside"),
                .setUp("inside"), .setUp("b"),
                .addAddress(IPv4InterfaceAddress("192.0.2.1/24")!, to: "inside"),
                .addRoute(route), .replaceRoute(route), .deleteRoute(route),
                .setPermanentNeighbor(neighbor, mac: mac, on: "inside"), .deleteNeighbor(neighbor, on: "inside"),
                .deleteAddress(.ipv4(IPv4Address(192, 0, 2, 1)), prefixLength: 24, from: "inside"),
                .setDown("inside"), .deleteLink("switch"), .move("c", toNamespace: other.descriptor),
            ])
            var there = try NetlinkSocket(in: other.descriptor)
            return (
                try socket.link("inside"), try socket.addresses().filter { $0.address.bitCount == 32 },
                try socket.routes().filter { $0.destination.bitCount == 32 },
                try socket.links().map(\.name).sorted() + [""] + there.links().map(\.name).sorted()
            )
        }
        #expect(renamed?.mac == mac)
        #expect(renamed?.mtu == 1300)
        #expect(renamed?.isUp == false)
        #expect(renamed?.master == nil)
        #expect(addresses.isEmpty)
        #expect(routes.isEmpty)
        #expect(links == ["b", "d", "inside", "lo", "", "c", "lo"])
    }

    @Test func `hundreds of requests go through in batches`() throws {
        let count = try NamespaceThread.run {
            _ = try NetworkNamespace.createAndEnter()
            var socket = try NetlinkSocket()
            let addresses = (1...300).map {
                NetlinkRequest.addAddress(
                    .ipv4(IPv4Address(rawValue: 0x0a00_0000 + UInt32($0))), prefixLength: 32, to: .loopback)
            }
            try socket.perform(addresses)
            return try socket.addresses().filter { $0.prefixLength == 32 }.count
        }
        #expect(count == 300)
    }

    @Test func `a refusal names the request, the interface and the kernel's words`() throws {
        let errors = try NamespaceThread.run {
            _ = try NetworkNamespace.createAndEnter()
            var socket = try NetlinkSocket()
            return [
                netlinkError { try socket.perform([.createVethPair(VethEnd("a"), VethEnd("b")), .createBridge("a")]) },
                netlinkError { try socket.perform(.setUp("nowhere")) },
                netlinkError { try socket.perform(.addAddress(IPv4InterfaceAddress("192.0.2.1/24")!, to: "nowhere")) },
                netlinkError { try socket.perform(.addRoute(Route(to: .any, gateway: IPv4Address(192, 0, 2, 1)))) },
                netlinkError { try socket.perform(.createBridge("a name that is too long")) },
                netlinkError {
                    try socket.perform(
                        .addAddress(.ipv4(IPv4Address(192, 0, 2, 1)), prefixLength: 33, to: .loopback))
                },
                netlinkError { try socket.perform(.setMTU(20, of: "a")) },
            ]
        }
        #expect(errors[0]?.kind == .refused)
        #expect(errors[0]?.errno == .fileExists)
        #expect(errors[0]?.verb == "create bridge 'a'")
        #expect(errors[1]?.kind == .noSuchInterface)
        #expect(errors[1]?.interface == "nowhere")
        #expect(errors[2]?.kind == .noSuchInterface)
        #expect(errors[2]?.verb == "add address 192.0.2.1/24")
        #expect(errors[3]?.verb == "add route default via 192.0.2.1")
        #expect(errors[3]?.kernelMessage == "Nexthop has invalid gateway")
        #expect(errors[4]?.kind == .invalidRequest)
        #expect(errors[4]?.description.contains("at most 15") == true)
        #expect(errors[5]?.description.contains("allowed are 0 to 32") == true)
        #expect(errors[6]?.errno == .invalidArgument)
        #expect(errors[6]?.kernelMessage?.isEmpty == false)
    }

    @Test func `requests before and behind a refused one are carried out`() throws {
        let (error, names) = try NamespaceThread.run {
            _ = try NetworkNamespace.createAndEnter()
            var socket = try NetlinkSocket()
            let error = netlinkError {
                try socket.perform([.createBridge("one"), .createBridge("one"), .createBridge("two")])
            }
            return (error, try socket.links().map(\.name).sorted())
        }
        #expect(error?.errno == .fileExists)
        #expect(names == ["lo", "one", "two"])
    }

    @Test func `a socket stays in the namespace in which it was opened`() throws {
        let (here, there, isSame, isBack) = try NamespaceThread.run {
            let first = try NetworkNamespace.createAndEnter()
            var socket = try NetlinkSocket()
            let second = try NetworkNamespace.create()
            let isBack = try NetworkNamespace.current().identifier == first.identifier
            try second.enter()
            try socket.perform(.createBridge("switch"))
            let isSame = try NetworkNamespace.current().identifier == second.identifier
            var other = try NetlinkSocket()
            return (try socket.links().map(\.name), try other.links().map(\.name), isSame, isBack)
        }
        #expect(here == ["lo", "switch"])
        #expect(there == ["lo"])
        #expect(isSame)
        #expect(isBack)
    }
}
