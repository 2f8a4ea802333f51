import Netlink
import Testing
import Wire

@Suite("Bytes of address, route and neighbour requests")
struct AddressRequestTests {
    @Test func `an IPv4 address is added`() {
        let request = NetlinkRequest.addAddress(
            IPv4InterfaceAddress(IPv4Address(192, 0, 2, 1), prefixLength: 24), to: .index(5))
        #expect(
            request.bytes
                == messageBytes(
                    """
                    28 00 00 00  // length 40
                    14 00 05 06  // RTM_NEWADDR; REQUEST, ACK, EXCL, CREATE
                    00 00 00 00  // sequence: the socket's
                    00 00 00 00  // port: the kernel's business
                    02 18 00 00  // AF_INET, /24, flags, scope global
                    05 00 00 00  // index 5
                    08 00 02 00  // IFA_LOCAL
                    c0 00 02 01  // 192.0.2.1
                    08 00 01 00  // IFA_ADDRESS
                    c0 00 02 01  // 192.0.2.1
                    """))
    }

    @Test func `an address of the loopback interface needs no route`() {
        let request = NetlinkRequest.addAddress(
            .ipv4(IPv4Address(192, 0, 2, 100)), prefixLength: 32, to: .loopback, scope: .host,
            options: .withoutPrefixRoute)
        #expect(
            request.bytes
                == messageBytes(
                    """
                    30 00 00 00  // length 48
                    14 00 05 06  // RTM_NEWADDR; REQUEST, ACK, EXCL, CREATE
                    00 00 00 00  // sequence: the socket's
                    00 00 00 00  // port: the kernel's business
                    02 20 00 fe  // AF_INET, /32, flags, scope host
                    01 00 00 00  // index 1
                    08 00 02 00  // IFA_LOCAL
                    c0 00 02 64  // 192.0.2.100
                    08 00 01 00  // IFA_ADDRESS
                    c0 00 02 64  // 192.0.2.100
                    08 00 08 00  // IFA_FLAGS
                    00 02 00 00  // IFA_F_NOPREFIXROUTE
                    """))
    }

    @Test func `an IPv6 address is usable without duplicate detection`() {
        let request = NetlinkRequest.addAddress(IPv6InterfaceAddress("2001:db8::1/64")!, to: .index(5))
        #expect(
            request.bytes
                == messageBytes(
                    """
                    48 00 00 00  // length 72
                    14 00 05 06  // RTM_NEWADDR; REQUEST, ACK, EXCL, CREATE
                    00 00 00 00  // sequence: the socket's
                    00 00 00 00  // port: the kernel's business
                    0a 40 00 00  // AF_INET6, /64, flags, scope global
                    05 00 00 00  // index 5
                    14 00 02 00  // IFA_LOCAL, 20 bytes
                    20 01 0d b8  // 2001:db8::1
                    00 00 00 00
                    00 00 00 00
                    00 00 00 01
                    14 00 01 00  // IFA_ADDRESS, 20 bytes
                    20 01 0d b8  // 2001:db8::1
                    00 00 00 00
                    00 00 00 00
                    00 00 00 01
                    08 00 08 00  // IFA_FLAGS
                    02 00 00 00  // IFA_F_NODAD
                    """))
    }

    @Test func `an address is deleted`() {
        let request = NetlinkRequest.deleteAddress(
            .ipv4(IPv4Address(192, 0, 2, 1)), prefixLength: 24, from: .index(5))
        #expect(
            request.bytes
                == messageBytes(
                    """
                    28 00 00 00  // length 40
                    15 00 05 00  // RTM_DELADDR; REQUEST, ACK
                    00 00 00 00  // sequence: the socket's
                    00 00 00 00  // port: the kernel's business
                    02 18 00 00  // AF_INET, /24, flags, scope
                    05 00 00 00  // index 5
                    08 00 02 00  // IFA_LOCAL
                    c0 00 02 01  // 192.0.2.1
                    08 00 01 00  // IFA_ADDRESS
                    c0 00 02 01  // 192.0.2.1
                    """))
    }

    @Test func `a route has gateway, device, metric and onlink`() {
        let request = NetlinkRequest.addRoute(
            Route(
                to: IPv4Network("198.51.100.0/24")!, gateway: IPv4Address(192, 0, 2, 254), device: .index(5),
                metric: 10, isOnLink: true))
        #expect(
            request.bytes
                == messageBytes(
                    """
                    3c 00 00 00  // length 60
                    18 00 05 06  // RTM_NEWROUTE; REQUEST, ACK, EXCL, CREATE
                    00 00 00 00  // sequence: the socket's
                    00 00 00 00  // port: the kernel's business
                    02 18 00 00  // AF_INET, /24, from /0, TOS
                    fe 04 00 01  // table main, RTPROT_STATIC, RT_SCOPE_UNIVERSE, RTN_UNICAST
                    04 00 00 00  // RTNH_F_ONLINK
                    08 00 01 00  // RTA_DST
                    c6 33 64 00  // 198.51.100.0
                    08 00 05 00  // RTA_GATEWAY
                    c0 00 02 fe  // 192.0.2.254
                    08 00 04 00  // RTA_OIF
                    05 00 00 00  // index 5
                    08 00 06 00  // RTA_PRIORITY
                    0a 00 00 00  // 10
                    """))
    }

    @Test func `equal paths are one route with a list of next hops`() {
        let request = NetlinkRequest.replaceEqualPaths([
            Route(to: IPv4Network("203.0.113.80/32")!, gateway: IPv4Address(198, 51, 100, 2)),
            Route(to: IPv4Network("203.0.113.80/32")!, gateway: IPv4Address(198, 51, 100, 6)),
        ])
        #expect(
            request.bytes
                == messageBytes(
                    """
                    48 00 00 00  // length 72
                    18 00 05 05  // RTM_NEWROUTE; REQUEST, ACK, REPLACE, CREATE
                    00 00 00 00  // sequence: the socket's
                    00 00 00 00  // port: the kernel's business
                    02 20 00 00  // AF_INET, /32, from /0, TOS
                    fe 04 00 01  // table main, RTPROT_STATIC, RT_SCOPE_UNIVERSE, RTN_UNICAST
                    00 00 00 00  // flags
                    08 00 01 00  // RTA_DST
                    cb 00 71 50  // 203.0.113.80
                    24 00 09 00  // RTA_MULTIPATH, 36 bytes
                    10 00 00 00  //   next hop of 16 bytes, weight 1
                    00 00 00 00  //   interface: the gateway's
                    08 00 05 00  //   RTA_GATEWAY
                    c6 33 64 02  //   198.51.100.2
                    10 00 00 00  //   next hop
                    00 00 00 00
                    08 00 05 00  //   RTA_GATEWAY
                    c6 33 64 06  //   198.51.100.6
                    """))
    }

    @Test func `equal paths of IPv6 may have link-local next hops, each with its interface`() {
        let request = NetlinkRequest.replaceEqualPaths([
            Route(to: IPv6Network("::/0")!, gateway: IPv6Address("fe80::1")!, device: .index(5)),
            Route(to: IPv6Network("::/0")!, gateway: IPv6Address("fe80::2")!, device: .index(6)),
        ])
        #expect(
            request.bytes
                == messageBytes(
                    """
                    58 00 00 00  // length 88
                    18 00 05 05  // RTM_NEWROUTE; REQUEST, ACK, REPLACE, CREATE
                    00 00 00 00  // sequence: the socket's
                    00 00 00 00  // port: the kernel's business
                    0a 00 00 00  // AF_INET6, default, from /0
                    fe 04 00 01  // table main, RTPROT_STATIC, RT_SCOPE_UNIVERSE, RTN_UNICAST
                    00 00 00 00  // flags
                    3c 00 09 00  // RTA_MULTIPATH, 60 bytes
                    1c 00 00 00  //   next hop of 28 bytes, weight 1
                    05 00 00 00  //   interface 5
                    14 00 05 00  //   RTA_GATEWAY
                    fe 80 00 00 00 00 00 00 00 00 00 00 00 00 00 01
                    1c 00 00 00  //   next hop
                    06 00 00 00  //   interface 6
                    14 00 05 00  //   RTA_GATEWAY
                    fe 80 00 00 00 00 00 00 00 00 00 00 00 00 00 02
                    """))
    }

    @Test func `a route without gateway has link scope`() {
        let request = NetlinkRequest.addRoute(Route(to: IPv4Network("198.51.100.0/24")!, device: .index(5)))
        #expect(
            request.bytes
                == messageBytes(
                    """
                    2c 00 00 00  // length 44
                    18 00 05 06  // RTM_NEWROUTE; REQUEST, ACK, EXCL, CREATE
                    00 00 00 00  // sequence: the socket's
                    00 00 00 00  // port: the kernel's business
                    02 18 00 00  // AF_INET, /24, from /0, TOS
                    fe 04 fd 01  // table main, RTPROT_STATIC, RT_SCOPE_LINK, RTN_UNICAST
                    00 00 00 00  // flags
                    08 00 01 00  // RTA_DST
                    c6 33 64 00  // 198.51.100.0
                    08 00 04 00  // RTA_OIF
                    05 00 00 00  // index 5
                    """))
    }

    @Test func `a default route has no destination attribute`() {
        let request = NetlinkRequest.replaceRoute(
            Route(to: IPv6Network("::/0")!, gateway: IPv6Address("2001:db8::fe")!))
        #expect(
            request.bytes
                == messageBytes(
                    """
                    30 00 00 00  // length 48
                    18 00 05 05  // RTM_NEWROUTE; REQUEST, ACK, REPLACE, CREATE
                    00 00 00 00  // sequence: the socket's
                    00 00 00 00  // port: the kernel's business
                    0a 00 00 00  // AF_INET6, /0, from /0, TOS
                    fe 04 00 01  // table main, RTPROT_STATIC, RT_SCOPE_UNIVERSE, RTN_UNICAST
                    00 00 00 00  // flags
                    14 00 05 00  // RTA_GATEWAY
                    20 01 0d b8  // 2001:db8::fe
                    00 00 00 00
                    00 00 00 00
                    00 00 00 fe
                    """))
    }

    @Test func `a route is deleted whatever its origin and scope`() {
        let request = NetlinkRequest.deleteRoute(
            Route(to: IPv4Network.any, gateway: IPv4Address(192, 0, 2, 254)))
        #expect(
            request.bytes
                == messageBytes(
                    """
                    24 00 00 00  // length 36
                    19 00 05 00  // RTM_DELROUTE; REQUEST, ACK
                    00 00 00 00  // sequence: the socket's
                    00 00 00 00  // port: the kernel's business
                    02 00 00 00  // AF_INET, /0, from /0, TOS
                    fe 00 ff 00  // table main, any origin, RT_SCOPE_NOWHERE, any type
                    00 00 00 00  // flags
                    08 00 05 00  // RTA_GATEWAY
                    c0 00 02 fe  // 192.0.2.254
                    """))
    }

    @Test func `a neighbour becomes permanent`() {
        let request = NetlinkRequest.setPermanentNeighbor(
            .ipv4(IPv4Address(192, 0, 2, 2)), mac: MACAddress(0x02, 0, 0, 0, 0, 0x0a), on: .index(5))
        #expect(
            request.bytes
                == messageBytes(
                    """
                    30 00 00 00  // length 48
                    1c 00 05 05  // RTM_NEWNEIGH; REQUEST, ACK, REPLACE, CREATE
                    00 00 00 00  // sequence: the socket's
                    00 00 00 00  // port: the kernel's business
                    02 00 00 00  // AF_INET
                    05 00 00 00  // index 5
                    80 00 00 00  // NUD_PERMANENT, flags, type
                    08 00 01 00  // NDA_DST
                    c0 00 02 02  // 192.0.2.2
                    0a 00 02 00  // NDA_LLADDR
                    02 00 00 00  // 02:00:00:00:00:0a
                    00 0a 00 00
                    """))
    }

    @Test func `a neighbour is deleted`() {
        let request = NetlinkRequest.deleteNeighbor(.ipv4(IPv4Address(192, 0, 2, 2)), on: .index(5))
        #expect(
            request.bytes
                == messageBytes(
                    """
                    24 00 00 00  // length 36
                    1d 00 05 00  // RTM_DELNEIGH; REQUEST, ACK
                    00 00 00 00  // sequence: the socket's
                    00 00 00 00  // port: the kernel's business
                    02 00 00 00  // AF_INET
                    05 00 00 00  // index 5
                    00 00 00 00  // state, flags, type
                    08 00 01 00  // NDA_DST
                    c0 00 02 02  // 192.0.2.2
                    """))
    }
}
