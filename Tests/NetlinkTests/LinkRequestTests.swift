import Netlink
import Testing
import Wire

@Suite("Bytes of link requests")
struct LinkRequestTests {
    let mac = MACAddress(0x02, 0, 0, 0, 0, 0x0a)

    @Test func `a veth pair is created with both ends in place`() {
        let request = NetlinkRequest.createVethPair(
            VethEnd("inside", mac: mac, mtu: 1500, index: 5, namespace: 7),
            VethEnd("up", mac: MACAddress(0x02, 0, 0, 0, 0, 0x0b), index: 6, namespace: 8))
        #expect(
            request.bytes
                == messageBytes(
                    """
                    8c 00 00 00  // length 140
                    10 00 05 06  // RTM_NEWLINK; REQUEST, ACK, EXCL, CREATE
                    00 00 00 00  // sequence: the socket's
                    00 00 00 00  // port: the kernel's business
                    00 00 00 00  // family, type
                    05 00 00 00  // index 5
                    00 00 00 00  // flags
                    00 00 00 00  // change mask
                    0b 00 03 00  // IFLA_IFNAME, 11 bytes
                    69 6e 73 69  // inside
                    64 65 00 00
                    0a 00 01 00  // IFLA_ADDRESS, 10 bytes
                    02 00 00 00  // 02:00:00:00:00:0a
                    00 0a 00 00
                    08 00 04 00  // IFLA_MTU
                    dc 05 00 00  // 1500
                    08 00 1c 00  // IFLA_NET_NS_FD
                    07 00 00 00  // descriptor 7
                    44 00 12 80  // IFLA_LINKINFO, nested, 68 bytes
                    09 00 01 00  //   IFLA_INFO_KIND
                    76 65 74 68  //   veth
                    00 00 00 00
                    34 00 02 80  //   IFLA_INFO_DATA, nested, 52 bytes
                    30 00 01 80  //     VETH_INFO_PEER, nested, 48 bytes
                    00 00 00 00  //     family, type
                    06 00 00 00  //     index 6
                    00 00 00 00  //     flags
                    00 00 00 00  //     change mask
                    07 00 03 00  //       IFLA_IFNAME, 7 bytes
                    75 70 00 00  //       up
                    0a 00 01 00  //       IFLA_ADDRESS
                    02 00 00 00  //       02:00:00:00:00:0b
                    00 0b 00 00
                    08 00 1c 00  //       IFLA_NET_NS_FD
                    08 00 00 00  //       descriptor 8
                    """))
    }

    @Test func `a tunnel device is bound to its own address and to no far end`() {
        let local = IPv4Address(10, 1, 0, 11)
        #expect(
            NetlinkRequest.createTunnel("ipip", name: "tunnel", local: .ipv4(local)).bytes
                == messageBytes(
                    """
                    48 00 00 00  // length 72
                    10 00 05 06  // RTM_NEWLINK; REQUEST, ACK, EXCL, CREATE
                    00 00 00 00  // sequence: the socket's
                    00 00 00 00  // port: the kernel's business
                    00 00 00 00  // family, type
                    00 00 00 00  // index: the kernel's choice
                    00 00 00 00  // flags
                    00 00 00 00  // change mask
                    0b 00 03 00  // IFLA_IFNAME, 11 bytes
                    74 75 6e 6e  // tunnel
                    65 6c 00 00
                    1c 00 12 80  // IFLA_LINKINFO, nested, 28 bytes
                    09 00 01 00  //   IFLA_INFO_KIND
                    69 70 69 70  //   ipip
                    00 00 00 00
                    0c 00 02 80  //   IFLA_INFO_DATA, nested, 12 bytes
                    08 00 02 00  //     IFLA_IPTUN_LOCAL
                    0a 01 00 0b  //     10.1.0.11
                    """))
        let gre = NetlinkRequest.createTunnel("gre", name: "tunnel", local: .ipv4(local)).bytes
        #expect(Array(gre.suffix(8)) == [8, 0, 6, 0, 10, 1, 0, 11])
        // Of IPv6 it carries IPv6 alone: IFLA_IPTUN_PROTO is 41.
        let own = IPv6Address("2001:db8:4::11")!
        let ipv6 = NetlinkRequest.createTunnel("ip6tnl", name: "tunnel", local: .ipv6(own)).bytes
        #expect(
            Array(ipv6.suffix(28))
                == [
                    20, 0, 2, 0, 0x20, 0x01, 0x0d, 0xb8, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x11, 5, 0, 9, 0, 41, 0, 0, 0,
                ])
    }

    @Test func `a bridge is created without spanning tree, multicast snooping and netfilter`() {
        let request = NetlinkRequest.createBridge("servers", mac: mac, index: 9)
        #expect(
            request.bytes
                == messageBytes(
                    """
                    74 00 00 00  // length 116
                    10 00 05 06  // RTM_NEWLINK; REQUEST, ACK, EXCL, CREATE
                    00 00 00 00  // sequence: the socket's
                    00 00 00 00  // port: the kernel's business
                    00 00 00 00  // family, type
                    09 00 00 00  // index 9
                    00 00 00 00  // flags
                    00 00 00 00  // change mask
                    0c 00 03 00  // IFLA_IFNAME, 12 bytes
                    73 65 72 76  // servers
                    65 72 73 00
                    0a 00 01 00  // IFLA_ADDRESS
                    02 00 00 00  // 02:00:00:00:00:0a
                    00 0a 00 00
                    3c 00 12 80  // IFLA_LINKINFO, nested
                    0b 00 01 00  //   IFLA_INFO_KIND
                    62 72 69 64  //   bridge
                    67 65 00 00
                    2c 00 02 80  //   IFLA_INFO_DATA, nested
                    08 00 05 00  //     IFLA_BR_STP_STATE
                    00 00 00 00  //     off
                    05 00 17 00  //     IFLA_BR_MCAST_SNOOPING, one byte
                    00 00 00 00  //     off
                    05 00 24 00  //     IFLA_BR_NF_CALL_IPTABLES
                    00 00 00 00  //     off
                    05 00 25 00  //     IFLA_BR_NF_CALL_IP6TABLES
                    00 00 00 00  //     off
                    05 00 26 00  //     IFLA_BR_NF_CALL_ARPTABLES
                    00 00 00 00  //     off
                    """))
    }

    @Test func `an interface becomes a port of a bridge`() {
        let request = NetlinkRequest.setMaster(of: "inside", to: .index(9))
        #expect(
            request.bytes
                == messageBytes(
                    """
                    34 00 00 00  // length 52
                    13 00 05 00  // RTM_SETLINK; REQUEST, ACK
                    00 00 00 00  // sequence: the socket's
                    00 00 00 00  // port: the kernel's business
                    00 00 00 00  // family, type
                    00 00 00 00  // index by name
                    00 00 00 00  // flags
                    00 00 00 00  // change mask
                    0b 00 03 00  // IFLA_IFNAME
                    69 6e 73 69  // inside
                    64 65 00 00
                    08 00 0a 00  // IFLA_MASTER
                    09 00 00 00  // index 9
                    """))
    }

    @Test func `an interface leaves its bridge`() {
        let request = NetlinkRequest.removeMaster(of: "inside")
        #expect(
            request.bytes
                == messageBytes(
                    """
                    34 00 00 00  // length 52
                    13 00 05 00  // RTM_SETLINK; REQUEST, ACK
                    00 00 00 00  // sequence: the socket's
                    00 00 00 00  // port: the kernel's business
                    00 00 00 00  // family, type
                    00 00 00 00  // index by name
                    00 00 00 00  // flags
                    00 00 00 00  // change mask
                    0b 00 03 00  // IFLA_IFNAME
                    69 6e 73 69  // inside
                    64 65 00 00
                    08 00 0a 00  // IFLA_MASTER
                    00 00 00 00  // none
                    """))
    }

    @Test func `a link is set up by name`() {
        let request = NetlinkRequest.setUp("inside")
        #expect(
            request.bytes
                == messageBytes(
                    """
                    2c 00 00 00  // length 44
                    13 00 05 00  // RTM_SETLINK; REQUEST, ACK
                    00 00 00 00  // sequence: the socket's
                    00 00 00 00  // port: the kernel's business
                    00 00 00 00  // family, type
                    00 00 00 00  // index by name
                    01 00 00 00  // flags: IFF_UP
                    01 00 00 00  // change mask: IFF_UP
                    0b 00 03 00  // IFLA_IFNAME
                    69 6e 73 69  // inside
                    64 65 00 00
                    """))
    }

    @Test func `a link is set down by index`() {
        let request = NetlinkRequest.setDown(.index(5))
        #expect(
            request.bytes
                == messageBytes(
                    """
                    20 00 00 00  // length 32
                    13 00 05 00  // RTM_SETLINK; REQUEST, ACK
                    00 00 00 00  // sequence: the socket's
                    00 00 00 00  // port: the kernel's business
                    00 00 00 00  // family, type
                    05 00 00 00  // index 5
                    00 00 00 00  // flags
                    01 00 00 00  // change mask: IFF_UP
                    """))
    }

    @Test func `a link gets a MAC address`() {
        let request = NetlinkRequest.setMAC(mac, of: "inside")
        #expect(
            request.bytes
                == messageBytes(
                    """
                    38 00 00 00  // length 56
                    13 00 05 00  // RTM_SETLINK; REQUEST, ACK
                    00 00 00 00  // sequence: the socket's
                    00 00 00 00  // port: the kernel's business
                    00 00 00 00  // family, type
                    00 00 00 00  // index by name
                    00 00 00 00  // flags
                    00 00 00 00  // change mask
                    0b 00 03 00  // IFLA_IFNAME
                    69 6e 73 69  // inside
                    64 65 00 00
                    0a 00 01 00  // IFLA_ADDRESS
                    02 00 00 00  // 02:00:00:00:00:0a
                    00 0a 00 00
                    """))
    }

    @Test func `a link gets an MTU`() {
        let request = NetlinkRequest.setMTU(1400, of: "inside")
        #expect(
            request.bytes
                == messageBytes(
                    """
                    34 00 00 00  // length 52
                    13 00 05 00  // RTM_SETLINK; REQUEST, ACK
                    00 00 00 00  // sequence: the socket's
                    00 00 00 00  // port: the kernel's business
                    00 00 00 00  // family, type
                    00 00 00 00  // index by name
                    00 00 00 00  // flags
                    00 00 00 00  // change mask
                    0b 00 03 00  // IFLA_IFNAME
                    69 6e 73 69  // inside
                    64 65 00 00
                    08 00 04 00  // IFLA_MTU
                    78 05 00 00  // 1400
                    """))
    }

    @Test func `a link is renamed`() {
        let request = NetlinkRequest.rename(.index(5), to: "outside")
        #expect(
            request.bytes
                == messageBytes(
                    """
                    2c 00 00 00  // length 44
                    13 00 05 00  // RTM_SETLINK; REQUEST, ACK
                    00 00 00 00  // sequence: the socket's
                    00 00 00 00  // port: the kernel's business
                    00 00 00 00  // family, type
                    05 00 00 00  // index 5
                    00 00 00 00  // flags
                    00 00 00 00  // change mask
                    0c 00 03 00  // IFLA_IFNAME
                    6f 75 74 73  // outside
                    69 64 65 00
                    """))
    }

    @Test func `a link is moved to another namespace`() {
        let request = NetlinkRequest.move("inside", toNamespace: 7)
        #expect(
            request.bytes
                == messageBytes(
                    """
                    34 00 00 00  // length 52
                    13 00 05 00  // RTM_SETLINK; REQUEST, ACK
                    00 00 00 00  // sequence: the socket's
                    00 00 00 00  // port: the kernel's business
                    00 00 00 00  // family, type
                    00 00 00 00  // index by name
                    00 00 00 00  // flags
                    00 00 00 00  // change mask
                    0b 00 03 00  // IFLA_IFNAME
                    69 6e 73 69  // inside
                    64 65 00 00
                    08 00 1c 00  // IFLA_NET_NS_FD
                    07 00 00 00  // descriptor 7
                    """))
    }

    @Test func `a link is deleted`() {
        let request = NetlinkRequest.deleteLink("inside")
        #expect(
            request.bytes
                == messageBytes(
                    """
                    2c 00 00 00  // length 44
                    11 00 05 00  // RTM_DELLINK; REQUEST, ACK
                    00 00 00 00  // sequence: the socket's
                    00 00 00 00  // port: the kernel's business
                    00 00 00 00  // family, type
                    00 00 00 00  // index by name
                    00 00 00 00  // flags
                    00 00 00 00  // change mask
                    0b 00 03 00  // IFLA_IFNAME
                    69 6e 73 69  // inside
                    64 65 00 00
                    """))
    }
}
