import Foundation
import Testing
import Wire

@Suite struct `Addresses in JSON` {
    struct Everything: Codable, Equatable {
        var mac = Example.clientMAC
        var address = Example.client
        var network = IPv4Network(Example.client, prefixLength: 24)
        var own = IPv4InterfaceAddress(Example.client, prefixLength: 24)
        var address6 = IPv6Address.vrrpRouters
        var network6 = IPv6Network.any
    }

    @Test func `they are text and come back`() throws {
        let data = try JSONEncoder().encode(Everything())
        #expect(String(decoding: data, as: UTF8.self).contains(#""mac":"02:00:00:00:00:0a""#))
        #expect(try JSONDecoder().decode(Everything.self, from: data) == Everything())
    }

    @Test func `a wrong text says what is allowed`() {
        let error = #expect(throws: DecodingError.self) {
            try JSONDecoder().decode([IPv4Address].self, from: Data(#"["192.0.2.256"]"#.utf8))
        }
        #expect("\(error as Any)".contains("'192.0.2.256' is not an IPv4 address such as 192.0.2.1"))
    }

    @Test func `numbers of protocols have names`() {
        #expect(
            [EtherType.ipv4, .arp, .ipv6, .vlan, .localExperimental].map(\.description) == [
                "IPv4", "ARP", "IPv6", "VLAN", "0x88b5",
            ])
        #expect(
            [IPProtocol.icmp, .tcp, .udp, .vrrp, .gre, IPProtocol(rawValue: 89)].map(\.description) == [
                "icmp", "tcp", "udp", "vrrp", "gre", "89",
            ])
    }
}
