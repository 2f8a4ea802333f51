import Foundation
import Measurement
import Testing
import Wire

/// Runs of all earlier versions have programs in this form.
struct TrafficProgramTests {
    private static func program(_ options: any TrafficKind) -> TrafficProgram {
        TrafficProgram(
            name: "app", options: options, from: "client", target: .ipv4(IPv4Address(192, 0, 2, 1)), port: 7, flows: 2,
            every: .milliseconds(10), payload: 64, timeout: .seconds(2))
    }

    private static func written(_ own: String, _ kind: String) -> String {
        let keys = own.split(separator: ";").map(String.init)
        let common = [
            #""every":[0,10000000000000000]"#, #""flows":2"#, #""from":"client""#, "\"kind\":\"\(kind)\"",
            #""name":"app""#, #""patience":[0,2000000000000000000]"#, #""payload":64"#, #""port":7"#,
            #""target":"192.0.2.1""#,
        ]
        let usual = [
            #""exchanges":true"#, #""path":"/""#, #""retryEvery":[0,300000000000000000]"#, #""usesTLS":false"#,
        ]
        func name(_ entry: String) -> Substring { entry.prefix { $0 != ":" } }
        let others = usual.filter { entry in !keys.contains { name($0) == name(entry) } }
        return "{" + (common + keys + others).sorted().joined(separator: ",") + "}"
    }

    static let forms: [(any TrafficKind, String)] = [
        (TCPStreamTraffic(), ""),
        (UDPTraffic(), ""),
        (TCPConnectTraffic(exchanges: false), #""exchanges":false"#),
        (UDPRequestTraffic(retryEvery: .seconds(1)), #""retryEvery":[0,1000000000000000000]"#),
        (HTTPRequestTraffic(path: "/x", usesTLS: true), #""path":"/x";"usesTLS":true"#),
        (
            FTPTraffic(FileTransfer(mode: .extendedActive, dataAfter: .seconds(1), bytes: 9)),
            #""transfer":{"bytes":9,"dataAfter":[0,1000000000000000000],"mode":"extended-active"}"#
        ),
        (PingTraffic(count: 5), #""count":5"#),
        (
            CommandTraffic(
                ["dig", "@192.0.2.1"], carrier: .udp, exits: [0, 9], output: "NOERROR",
                values: [.init(name: "time", pattern: #"(?<value>\d+) msec"#)], count: 5),
            #""command":["dig","@192.0.2.1"];"count":5;"exits":[0,9];"output":"NOERROR";"protocol":"udp";"values":[{"name":"time","pattern":"(?<value>\\d+) msec"}]"#
        ),
        (
            DNSTraffic(
                DNSName(rawValue: "www.example.test")!, records: [.address, .ipv6Address], tryTimeout: .seconds(1),
                attempts: 3, reopens: true, expected: .nameError),
            #""attempts":3;"expectedRcode":"NXDOMAIN";"host":"www.example.test";"records":["A","AAAA"];"singleRequestReopen":true;"tryTimeout":[0,1000000000000000000]"#
        ),
        (
            TCPStreamTraffic(
                sizes: [64, 9000],
                tcp: TCPSocketOptions(
                    keepalive: .init(idle: .seconds(1), interval: .seconds(2), count: 3), userTimeout: .seconds(4)),
                reconnect: Reconnect(after: .seconds(1), atMost: .seconds(5), attempts: 6), maximumAge: .seconds(7)),
            #""maximumAge":[0,7000000000000000000];"reconnect":{"after":[0,1000000000000000000],"atMost":[0,5000000000000000000],"attempts":6};"sizes":[64,9000];"tcp":{"keepalive":{"count":3,"idle":[0,1000000000000000000],"interval":[0,2000000000000000000]},"userTimeout":[0,4000000000000000000]}"#
        ),
        (
            HTTPRequestTraffic(
                usesTLS: false, method: .put, bodies: [1, 2], reuses: true, retries: 1, maximumAge: .seconds(7)),
            #""bodies":[1,2];"maximumAge":[0,7000000000000000000];"method":"PUT";"retries":1;"reuses":true"#
        ),
        (UDPTraffic(burst: 2, rebinding: .requests(9)), #""burst":2;"rebinding":{"requests":{"_0":9}}"#),
        (
            UDPRequestTraffic(retryEvery: .seconds(1), sizes: [32], burst: 2),
            #""burst":2;"retryEvery":[0,1000000000000000000];"sizes":[32]"#
        ),
        (
            ManyFlowTraffic(.init(sources: IPv4Network("10.64.0.0/25"), spread: .seconds(3)), retryEvery: .seconds(1)),
            #""crowd":{"sources":"10.64.0.0/25","spread":[0,3000000000000000000]};"retryEvery":[0,1000000000000000000]"#
        ),
    ]

    @Test(arguments: forms.indices)
    func `the options of a kind stand beside those of every kind`(number: Int) throws {
        let (options, own) = Self.forms[number]
        let program = Self.program(options)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let text = String(decoding: try encoder.encode(program), as: UTF8.self)
        #expect(text == Self.written(own, type(of: options).name))
        #expect(try JSONDecoder().decode(TrafficProgram.self, from: Data(text.utf8)) == program)
    }

    @Test func `every kind has a form`() {
        #expect(
            Set(Self.forms.map { type(of: $0.0).name }) == Set(TrafficKinds.table.map { $0.name }),
            "a line of TrafficProgramTests.forms")
        #expect(Set(TrafficKinds.table.map { $0.name }).count == TrafficKinds.table.count)
    }

    @Test(arguments: ["", ".", "a..b", "www.", "-a b", "ü.test", String(repeating: "a", count: 64)])
    func `a text that is no host name is none in a file, either`(text: String) throws {
        #expect(DNSName(rawValue: text) == nil)
        let program = try JSONEncoder().encode(Self.program(DNSTraffic()))
        let changed = String(decoding: program, as: UTF8.self).replacing("\"localhost\"", with: "\"\(text)\"")
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(TrafficProgram.self, from: Data(changed.utf8))
        }
    }

    @Test func `a host name has at most 253 bytes, in labels of at most 63`() {
        let label = String(repeating: "a", count: 63)
        let longest = "\(label).\(label).\(label)." + String(repeating: "b", count: 61)
        #expect(DNSName(rawValue: longest)?.labels.map(\.count) == [63, 63, 63, 61])
        #expect(DNSName(rawValue: longest + "b") == nil)
        #expect(DNSName(rawValue: "_sip._udp.Example-1.test")?.labels.first == Array("_sip".utf8))
    }

    @Test func `a lookup waits as long as its resolver can try, where nothing else is written`() {
        let (one, both) = (DNSTraffic(.localhost), DNSTraffic(.localhost, records: [.address, .ipv6Address]))
        var reopens = both
        reopens.reopens = true
        #expect(one.usualTimeout == .seconds(15) && both.usualTimeout == .seconds(25))
        #expect(reopens.usualTimeout == .seconds(15) && UDPTraffic().usualTimeout == nil)
    }

    @Test func `an unknown kind is no program`() {
        let text = Self.written("", "carrier-pigeon")
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(TrafficProgram.self, from: Data(text.utf8)) }
    }
}
