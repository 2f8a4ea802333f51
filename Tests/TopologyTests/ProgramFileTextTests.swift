import Configuration
import Foundation
import LabFile
import TestSupport
import Testing

@testable import Topology

/// Files beside the lab, and patterns of output.
@Suite struct `Files and output of programs` {
    private func lab(_ programs: String, scenario: String = "[{ wait: 1s }]", expect: String = "[]") -> String {
        """
        schema: 1
        name: files
        networks: { lan: 192.0.2.0/24 }
        nodes:
          client: { role: client, interfaces: { lan: 192.0.2.10 } }
          web: { role: backend, interfaces: { lan: 192.0.2.20 }, programs: { \(programs) } }
        scenario: \(scenario)
        expect: \(expect)
        """
    }

    private func write(_ text: String, in folder: TemporaryFolder) throws -> String {
        let path = folder.path + "/lab.yaml"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    private func messages(_ text: String, in folder: TemporaryFolder) throws -> [String] {
        do {
            _ = try Lab(path: write(text, in: folder))
            return []
        } catch let error as LabFileErrors {
            return error.errors.map { "\($0)" }
        }
    }

    @Test func `a file beside the lab has its references replaced, and a variant changes a line`() throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.path + "/conf", withIntermediateDirectories: false)
        try "bind ${web.lan.ip}:80\nretries 3\n".write(
            toFile: folder.path + "/conf/h.cfg", atomically: true, encoding: .utf8)
        let text =
            lab("p: { run: [sleep, inf], files: { h.cfg: { from: conf/h.cfg } } }")
                + """

                variants:
                  as-it-is: { shows: control }
                  no-retries:
                    shows: control
                    change: { nodes: { web: { programs: { p: { files: { h.cfg: { replace: { retries 3: retries 0 } } } } } } } }
                """
        let lab = try Lab(path: write(text, in: folder))
        let texts = lab.variants.map { $0.node(named: "web")?.programs.first?.files.first?.text }
        #expect(texts == ["bind 192.0.2.20:80\nretries 3\n", "bind 192.0.2.20:80\nretries 0\n"])
        // A run's own file needs no other.
        let again = try Lab(parsing: lab.variants[1].resolvedYAML, path: "lab.yaml")
        #expect(again.variants[0].nodes == lab.variants[1].nodes)
        let haproxy = self.lab("haproxy: { listen: 80, config: { from: conf/h.cfg } }")
        let program = try #require(
            try Lab(path: write(haproxy, in: folder)).variants[0].node(named: "web")?.programs.first)
        #expect(program.files.map(\.text) == ["bind 192.0.2.20:80\nretries 3\n"])
    }

    @Test(arguments: [
        (
            "{ from: ../h.cfg }",
            "the file '../h.cfg' is outside the lab's folder; allowed: a file in the lab's folder, or below it"
        ),
        ("{ from: /etc/passwd }", "the file '/etc/passwd' is outside the lab's folder"),
        ("{ from: link }", "the file 'link' is outside the lab's folder"),
        ("{ from: missing.cfg }", "the file 'missing.cfg' cannot be read: there is no such file"),
        ("{ from: sub }", "the file 'sub' cannot be read: it is not a regular file"),
        ("{ from: binary }", "the file 'binary' cannot be read: it is not a text in UTF-8"),
        ("{ from: big }", "the file 'big' cannot be read: it is larger than 256 KiB"),
        ("{ file: h.cfg }", "unknown key 'file' of a file of a program; allowed: from, replace"),
        ("{ from: own.txt, replace: { b: c } }", "'own.txt' does not have the text 'b'"),
        (
            "h.cfg",
            "file 'h.cfg' would have the one word 'h.cfg', which is the name of a file; allowed: { from: h.cfg }"
        ),
        ("other.cfg", "would have the one word 'other.cfg'"),
        ("own.txt", "would have the one word 'own.txt'"),
    ])
    func `what is wrong with a file is told with its place`(_ file: String, _ message: String) throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.path + "/sub", withIntermediateDirectories: false)
        try FileManager.default.createSymbolicLink(atPath: folder.path + "/link", withDestinationPath: "/etc/hostname")
        try Data([0xff, 0xfe]).write(to: URL(fileURLWithPath: folder.path + "/binary"))
        try Data(repeating: 0x61, count: 300_000).write(to: URL(fileURLWithPath: folder.path + "/big"))
        try "a\n".write(toFile: folder.path + "/own.txt", atomically: true, encoding: .utf8)
        let found = try messages(lab("p: { run: [sleep, inf], files: { h.cfg: \(file) } }"), in: folder)
        #expect(found.allSatisfy { $0.hasPrefix("6:") }, "\(found)")
        #expect(found.contains { $0.contains(message) }, "\(found)")
    }

    @Test func `a text of one word that is no file name stays a text`() throws {
        let folder = try TemporaryFolder()
        #expect(try messages(lab("p: { run: [sleep, inf], files: { h.cfg: on, hosts: a.b } }"), in: folder).isEmpty)
    }

    @Test func `output is waited for, and makes events with the groups of its pattern`() throws {
        let text = lab(
            #"p: { run: [sleep, inf], ready: { output: "^up$" }, events: { slow: 'took (?<time>\d+) ms' } }"#,
            scenario:
                "[{ wait-for: web/p.slow }, { fail: { kill: web/p } }, { wait-for: web/p.ended }, { fail: { start: web/p } }, { wait-for: web/p.started }]",
            expect:
                "[{ event: { name: web/p.slow, with: { time: '> 5', program: p } } }, { event: { name: web/p.started, after: kill } }]"
        )
        let variant = try Lab(parsing: text, path: "lab.yaml").variants[0]
        let program = try #require(variant.node(named: "web")?.programs.first)
        #expect(program.readiness == [.output(pattern: "^up$")])
        #expect(program.events == [.init(name: "slow", pattern: #"took (?<time>\d+) ms"#)])
        #expect(variant.expectations.map(\.id) == ["web-p-slow", "web-p-started"])
    }

    @Test(arguments: [
        ("events: { slow: 'a(b' }", "[]", "the pattern of event 'slow' is 'a(b', which is no regular expression"),
        ("events: { started: x }", "[]", "every program has the event 'started'"),
        ("events: { Slow: x }", "[]", "'Slow' cannot be the name of an event of a program"),
        ("events: [x]", "[]", "the events of 'p' are a list"),
        ("ready: { output: '[' }", "[]", "the pattern of 'output' of 'ready' is '[', which is no regular expression"),
        ("events: { slow: x }", "[{ event: web/p.slwo }]", "there is no event 'web/p.slwo'"),
        ("events: { slow: x }", "[{ event: { name: web/p.slow, with: { tme: 3 } } }]", "'tme'"),
    ])
    func `what is wrong with a pattern is told with its place`(_ key: String, _ expect: String, _ message: String)
        throws
    {
        let folder = try TemporaryFolder()
        let found = try messages(lab("p: { run: [sleep, inf], \(key) }", expect: expect), in: folder)
        #expect(found.contains { $0.first?.isNumber == true && $0.contains(message) }, "\(found)")
    }
}
