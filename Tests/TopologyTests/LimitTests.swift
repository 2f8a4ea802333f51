import Foundation
import LabFile
import TestSupport
import Testing

@testable import Topology

@Suite struct `Limits of a lab file` {
    private static let place = SourcePosition(line: 1, column: 1)

    private static func scalar(_ text: String) -> LabValue { LabValue(.scalar(text, isQuoted: false), at: place) }

    /// A mapping of so many entries, each at a line of its own.
    private static func mapping(_ count: Int) -> LabValue {
        LabValue(
            .mapping(
                (0..<count).map {
                    LabEntry(key: "k\($0)", keyPosition: SourcePosition(line: $0 + 1, column: 3), value: scalar("1"))
                }), at: place)
    }

    private static func list(_ count: Int) -> LabValue {
        LabValue(
            .sequence(
                (0..<count).map { LabValue(.scalar("1", isQuoted: false), at: SourcePosition(line: $0 + 1, column: 3)) }
            ),
            at: place)
    }

    private static func tree(_ path: [String], _ value: LabValue) -> LabValue {
        path.reversed().reduce(value) { inner, key in
            LabValue(
                .mapping([LabEntry(key: key == "*" ? "some" : key, keyPosition: place, value: inner)]), at: place)
        }
    }

    private static func messages(_ lab: LabValue) -> [String] {
        let reader = LabReader()
        LabLimits(reader: reader).check(lab)
        return reader.errors.map { "\($0)" }
    }

    @Test func `each count may be reached and not exceeded, and the message names the first one too many`() {
        for limit in LabLimits.counts {
            let name = limit.path.map { $0 == "*" ? "some" : $0 }.joined(separator: ".")
            for make in [Self.mapping, Self.list] {
                #expect(Self.messages(Self.tree(limit.path, make(limit.most))).isEmpty, "\(name)")
                let found = Self.messages(Self.tree(limit.path, make(limit.most + 1)))
                #expect(
                    found == [
                        "\(limit.most + 1):3: '\(name)' has \(limit.most + 1) entries; allowed: at most \(limit.most)"
                    ], "\(found)")
            }
        }
    }

    @Test func `lists within lists count as one, and interfaces count over all nodes`() {
        let nested = LabValue(.sequence([Self.list(1500), Self.list(501)]), at: Self.place)
        #expect(Self.messages(Self.tree(["scenario"], nested)).count == 1)
        let nodes = (0..<11).map {
            LabEntry(
                key: "n\($0)", keyPosition: SourcePosition(line: $0 + 1, column: 1),
                value: Self.tree(["interfaces"], Self.mapping(1000)))
        }
        let found = Self.messages(Self.tree(["nodes"], LabValue(.mapping(nodes), at: Self.place)))
        #expect(found == ["11:1: the nodes up to 'n10' have 11000 interfaces together; allowed: at most 10000"])
    }

    @Test func `the reference has each of them`() throws {
        let table = try String(contentsOfFile: Package.root + "/docs/reference/limits.md", encoding: .utf8)
        for limit in LabLimits.counts {
            let row = table.split(separator: "\n").first { $0.contains("`\(limit.path.joined(separator: "."))`") }
            #expect(
                row?.components(separatedBy: "|").contains {
                    $0.trimmingCharacters(in: .whitespaces) == "\(limit.most)"
                }
                    == true, "\(limit.path) \(limit.most): \(row ?? "no row")")
        }
        for number in [
            LabLimits.filter, LabLimits.interfaces, LabLimits.expectations, LabLimits.flows, LabLimits.filters,
            LabLimits.commandLine,
            LabLimits.valuesOfVariants, LabLimits.titleLength, LabLimits.descriptionLength,
        ] { #expect(table.contains("\(number)"), "\(number)") }
    }

    private func messages(_ text: String) -> [String] {
        do {
            _ = try Lab(parsing: text, path: "lab.yaml")
            return []
        } catch {
            return error.errors.map { "\($0)" }
        }
    }

    @Test(arguments: [
        ("title: " + String(repeating: "a", count: 501), "1:8: 'title' has 501 characters; allowed: at most 500"),
        ("reference: " + String(repeating: "a", count: 501), "'reference' has 501 characters"),
        ("description: " + String(repeating: "a", count: 20_001), "'description' has 20001 characters"),
    ]) func `texts have an end`(_ line: String, _ message: String) {
        #expect(messages(line + "\n" + SmallLab.text).contains { $0.contains(message) })
    }

    @Test func `flows and crowds are counted over all traffic`() {
        let programs = (0..<21).map { "  p\($0): { from: client, to: lb/web, kind: tcp-stream, flows: 1000 }" }
        let text = SmallLab.replacing("traffic:\n", "traffic:\n" + programs.joined(separator: "\n") + "\n")
        let found = messages(text)
        #expect(
            found.contains {
                $0.contains("the traffic programs up to 'p20' have 21000 flows together; allowed: at most 20000")
            },
            "\(found)")
    }

    @Test func `expectations are counted with those that are inherited`() {
        let many = (0..<600).map { "        - { existing: timed-out, id: a\($0) }" }.joined(separator: "\n")
        let more = many.replacing("id: a", with: "id: b")
        let text =
            SmallLab.text + "\nvariants:\n  one:\n    shows: control\n    expect:\n\(many)\n"
            + "  two:\n    shows: control\n    extends: one\n    expect:\n\(more)\n"
        let found = messages(text)
        #expect(found.contains { $0.contains("variant 'two' has more than 1000 expectations") }, "\(found)")
    }

    @Test func `the filters of a lab are counted together, equal ones once`() {
        func lab(_ filters: [String]) -> String {
            SmallLab.text
                + filters.enumerated().map {
                    "\n  - { frames: { on: lb.inside, match: '\($1)' }, some: ~, id: f\($0) }"
                }.joined()
        }
        let filter = String(repeating: "tcp or ", count: 280) + "udp"
        let different = (0..<40).map { filter + " or port \($0 + 100)" }
        let found = messages(lab(different))
        #expect(found.contains { $0.contains("capture filters have more than 65536 characters together") }, "\(found)")
        #expect(messages(lab([String](repeating: filter, count: 40))).isEmpty)
        let long = messages(lab([filter + String(repeating: " or port 100", count: 8)]))
        #expect(long.contains { $0.contains("a filter has") && $0.contains("allowed: at most 2048") }, "\(long)")
    }

    @Test func `a command line that the kernel would refuse is refused`() {
        let words = [String](repeating: "x", count: 10).map { String(repeating: $0, count: 4000) }
        let text = SmallLab.replacing(
            "interfaces: { servers: }",
            "interfaces: { servers: }\n    services: { echo: 8080/tcp }\n    programs: { a: { run: [\(words.joined(separator: ", "))] } }"
        )
        #expect(
            messages(text).contains { $0.contains("'run' of a program has 40000 characters; allowed: at most 32768") })
    }

    @Test func `files of TLS are beside the lab, or named by a whole path`() {
        func lab(_ certificate: String) -> String {
            SmallLab.replacing(
                "profile: tcp-fast-path", "profile: http\n        tls: { certificate: '\(certificate)', key: lb.key }"
            )
            .replacing("kind: tcp-stream", with: "kind: http-request")
            .replacing("listen: 198.51.100.100:80/tcp", with: "listen: 198.51.100.100:80")
        }
        for bad in ["../lb.pem", "a/../../lb.pem"] {
            let found = messages(lab(bad))
            #expect(
                found.contains { $0.contains("names the file '\(bad)'") && $0.contains("beside the lab file") },
                "\(found)")
        }
        for good in ["lb.pem", "certificates/lb..pem", "/etc/ssl/../lb.pem"] {
            #expect(!messages(lab(good)).contains { $0.contains("names the file") }, "\(good)")
        }
    }

    @Test func `a lab whose variants would read too much is refused`() {
        let objects = (0..<4000).map { "o\($0): [10.0.0.0/8, 10.1.0.0/16, 10.2.0.0/16]" }.joined(separator: ", ")
        let variants = (0..<200).map { "  v\($0): { shows: control }" }.joined(separator: "\n")
        let text =
            SmallLab.replacing(
                "interfaces: { outside: 192.0.2.3", "objects: { \(objects) }\n    interfaces: { outside: 192.0.2.3")
            + "\nvariants:\n\(variants)\n"
        let found = messages(text)
        #expect(found.contains { $0.contains("values and 200 variants, each of which reads them all") }, "\(found)")
    }

    /// Formerly 9.3 s for 90,000 keys: each was looked for among all. Twice as many keys may take twice the time.
    @Test func `keys that hold anchors are read in linear time`() throws {
        func seconds(_ keys: Int) throws -> Double {
            let text = SmallLab.text + "\n" + (0..<keys).map { "x-\($0): 1\n" }.joined()
            // Of this thread alone: what other processes take does not count.
            func now() -> Double {
                var time = timespec()
                clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
                return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
            }
            let start = now()
            _ = try Lab(parsing: text, path: "lab.yaml")
            return now() - start
        }
        _ = try seconds(100)
        let best = try (0..<3).map { _ in try (seconds(5000), seconds(40_000)) }
        let (few, many) = (best.map(\.0).min()!, best.map(\.1).min()!)
        #expect(many < few * 24, "5000 keys \(few) s, 40000 keys \(many) s")
    }
}
