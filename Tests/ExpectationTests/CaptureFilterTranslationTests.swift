@testable import Expectation
import Testing

struct CaptureFilterTranslationTests {
    @Test(arguments: [
        ("tcp", "tcp"), ("ip6", "ipv6"), ("not arp", "!(arp)"), ("tcp and not vrrp", "tcp && !(vrrp)"),
        ("ip src host 192.0.2.1", "ip.src == 192.0.2.1"),
        ("dst host 192.0.2.1", "(ip.dst == 192.0.2.1 || arp.dst.proto_ipv4 == 192.0.2.1)"),
        ("ip host 192.0.2.1 or 192.0.2.2", "ip.addr == 192.0.2.1 || ip.addr == 192.0.2.2"),
        ("ip net 192.0.2.0/24", "ip.addr == 192.0.2.0/24"),
        ("arp src host 192.0.2.1", "arp.src.proto_ipv4 == 192.0.2.1"),
        ("tcp dst port 80", "tcp.dstport == 80"), ("port 53", "(tcp.port == 53 || udp.port == 53)"),
        ("udp portrange 5000-5010", "udp.port in {5000..5010}"),
        ("ether src 02:00:00:00:00:01", "eth.src == 02:00:00:00:00:01"),
        ("ether host 02:00:00:00:00:01", "eth.addr == 02:00:00:00:00:01"),
        ("ether proto 0x0806", "eth.type == 0x0806"), ("ip proto 112", "ip.proto == 112"),
        ("ip proto \\tcp", "ip.proto == 6"),
        ("tcp[tcpflags] & (tcp-syn|tcp-fin) != 0", "(tcp.flags.syn == 1 || tcp.flags.fin == 1)"),
        ("tcp[tcpflags] & tcp-fin != 0", "tcp.flags.fin == 1"),
        ("tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn", "tcp.flags.syn == 1 && tcp.flags.ack == 0"),
        ("arp or tcp and udp", "(arp || tcp) && udp"), ("arp and tcp or udp", "(arp && tcp) || udp"),
        ("arp or (tcp and udp)", "arp || (tcp && udp)"), ("tcp && !(udp || icmp)", "tcp && !((udp || icmp))"),
    ])
    func `what labs use has its equal in Wireshark's language`(capture: String, display: String) {
        #expect(CaptureFilterTranslation(capture).displayFilter == display)
    }

    @Test(arguments: [
        "", "ip[8] > 5", "tcp port http", "host example.com", "greater 100", "tcp and", "(tcp", "tcp)", "and tcp",
        "port", "ether src 192.0.2.1", "tcp[tcpflags] & tcp-syn", "vlan 5", "src net 192.0.2.1/24", "tcp udp",
    ])
    func `what is not known has no translation rather than a wrong one`(capture: String) {
        #expect(CaptureFilterTranslation(capture).displayFilter == nil)
    }

    @Test(arguments: [
        (
            FieldCheck.equals("tcp.flags", "SYN-ACK"),
            "tcp.flags.syn == 1 && tcp.flags.fin == 0 && tcp.flags.reset == 0 && tcp.flags.ack == 1"
        ),
        (.equals("tcp.flags", "+FIN"), "tcp.flags.fin == 1"),
        (.equals("ip.src", "192.0.2.0/24"), "ip.src == 192.0.2.0/24"),
        (.equals("inner.ip.src", "192.0.2.1"), "ip.src#2 == 192.0.2.1"), (.equals("ip.df", "true"), "ip.flags.df == 1"),
        (.equals("inner.tcp.srcport", "443"), "tcp.srcport == 443"), (.equals("arp.op", "reply"), "arp.opcode == 2"),
        (.equals("udp.len", "32"), "udp.length == 40"),
        (.equals("vrrp.interval", "100ms"), "(vrrp.short_adver_int == 10 || vrrp.adver_int == 0)"),
        (.init(field: "ip.ttl", condition: .compares(.init(.lessOrEqual, 5))), "ip.ttl <= 5"),
        (.init(field: "eth.dst", condition: .isNot("02:00:00:00:00:01")), "!(eth.dst == 02:00:00:00:00:01)"),
        (.init(field: "ip.proto", condition: .isOneOf(["tcp", "udp"])), "(ip.proto == 6 || ip.proto == 17)"),
    ])
    func `a check has its equal in Wireshark's language`(check: FieldCheck, display: String) {
        #expect(check.displayFilter == display)
    }
}
