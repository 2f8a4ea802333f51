import Testing

@testable import LabFile

/// What is wrong with a text, as a person reads it.
private func message(_ text: String) -> String {
    do {
        _ = try LabDocument(parsing: text, path: "lab.yaml")
        return "nothing is wrong"
    } catch {
        return "\(error)"
    }
}

@Suite struct `A lab file as written` {
    @Test func `keeps the place of every key and value`() throws {
        let root = try LabDocument(
            parsing: "name: small\nnodes:\n  fw-a: { role: firewall, ports: [a, 'b'] }\n", path: "x"
        ).root
        let nodes = try #require(root["nodes"])
        let box = try #require(nodes.entries?.first)
        #expect(box.keyPosition == SourcePosition(line: 3, column: 3))
        #expect(box.value["role"]?.position == SourcePosition(line: 3, column: 17))
        let ports = try #require(box.value["ports"]?.elements)
        #expect(ports.map(\.text) == ["a", "b"])
        #expect(ports[1].position == SourcePosition(line: 3, column: 38))
    }

    @Test func `distinguishes null from the word in quotes`() throws {
        let root = try LabDocument(parsing: "a:\nb: ~\nc: null\nd: 'null'\ne: ''\n", path: "x").root
        #expect(root.entries?.map(\.value.isNull) == [true, true, true, false, false])
        #expect(root["d"]?.text == "null")
        #expect(root["e"]?.text == "")
    }

    @Test func `puts an alias in the place of its anchor, and merges mappings under the keys that are there`() throws {
        let text = """
            base: &base { a: 1, b: 2 }
            other: &other { b: 3, c: 4 }
            both: { <<: [*base, *other], a: 9 }
            copy: *base
            """
        let root = try LabDocument(parsing: text, path: "x").root
        #expect(root["both"]?.entries?.map(\.key) == ["a", "b", "c"])
        #expect(root["both"]?.entries?.map(\.value.text) == ["9", "2", "4"])
        #expect(root["copy"]?.position == SourcePosition(line: 1, column: 7))
    }

    @Test func `reads back what it writes`() throws {
        let text = #"""
            plain: word-1.2/3
            quoted: "a: b # c"
            'strange key': "line\nbreak \\ \" \t ü € 😀 \x07"
            numberlike: "012"
            empty: ''
            "null": 'null'
            nothing:
            list: [1, [2, [3]], {a: {b: [c]}}, [], {}]
            text: |
              two
              lines
            """#
        let root = try LabDocument(parsing: text, path: "x").root
        let again = try LabDocument(parsing: root.yaml, path: "y").root
        #expect(again == root)
        #expect(again.yaml == root.yaml)
    }

    @Test func `is patched key by key, null deletes, and lists are replaced`() throws {
        func value(_ text: String) throws -> LabValue { try LabDocument(parsing: text, path: "x").root }
        let base = try value("a: { b: 1, c: [1, 2] }\nd: 4\n")
        let patched = base.patched(with: try value("a: { b: null, c: [3], e: { f: 5, g: null } }\nd: { h: 6 }\n"))
        #expect(patched == (try value("a: { c: [3], e: { f: 5 } }\nd: { h: 6 }\n")))
    }
}

@Suite struct `A lab file that is no lab file` {
    @Test(arguments: [
        ("", "lab.yaml: the file is empty; a lab file has at least schema, name, networks and nodes"),
        ("# only a comment\n", "lab.yaml: the file is empty; a lab file has at least schema, name, networks and nodes"),
        ("---\n...\n", "lab.yaml: the file is empty; a lab file has at least schema, name, networks and nodes"),
        (
            "- a\n- b\n",
            "lab.yaml:1:1: a lab file is a mapping of keys to values, not a list; allowed: schema: 1, followed by name, networks, nodes, …\n  - a\n  ^"
        ),
        (
            "\u{7f}ELF\u{02}\u{01}\u{00}",
            "lab.yaml:1:5: this is not a text file: it has the control character 2\n  \u{7f}ELF\u{fffd}\u{fffd}\u{fffd}\n      ^"
        ),
        (
            "a: 1\n\u{2028}b: 2\n",
            "lab.yaml:2:1: only a newline ends a line, not another line separator of Unicode\n  \u{2028}b: 2\n  ^"
        ),
        (
            "a: [1, 2\n",
            "lab.yaml:2:1: this is not YAML: did not find expected ',' or ']' while parsing a flow sequence (started in line 1)"
        ),
        (
            "a: 1\n\tb: 2\n",
            "lab.yaml:2:1: a tab where only spaces are allowed: YAML is indented with spaces\n  \tb: 2\n  ^"
        ),
        (
            "nodes:\n  fw-a:\n  \trole: firewall\n",
            "lab.yaml:3:3: a tab where only spaces are allowed: YAML is indented with spaces\n    \trole: firewall\n    ^"
        ),
        (
            "a:\n-\tb\n-\tc: 1\n",
            "lab.yaml:2:2: a tab where only spaces are allowed: YAML is indented with spaces\n  -\tb\n   ^"
        ),
        ("a: 1\n---\nb: 2\n", "lab.yaml:2:1: a lab file holds one YAML document; '---' begins another\n  ---\n  ^"),
        (
            "a:\n  name: 1\n  other: 2\n  name: 3\n",
            "lab.yaml:4:3: key 'name' is given twice in one mapping; the first is in line 2\n    name: 3\n    ^"
        ),
        (
            "a: { x: 1, 'x': 2 }\n",
            "lab.yaml:1:12: key 'x' is given twice in one mapping; the first is in line 1\n  a: { x: 1, 'x': 2 }\n             ^"
        ),
        (
            "a: { x: 1, x: 2 }\n",
            "lab.yaml:1:12: key 'x' is given twice in one mapping; the first is in line 1\n  a: { x: 1, x: 2 }\n             ^"
        ),
        ("a: { <<: word }\n", "lab.yaml:1:10: '<<' merges mappings, not 'word'\n  a: { <<: word }\n           ^"),
        ("[a, b]: c\n", "lab.yaml:1:1: a key is a word, not a list or a mapping\n  [a, b]: c\n  ^"),
    ])
    func `states what is wrong and where`(text: String, expected: String) {
        #expect(message(text) == expected)
    }

    @Test func `names an alias without anchor, and one inside its own anchor`() {
        #expect(
            message("a: *base\n") == "lab.yaml:1:4: alias 'base' has no anchor '&base' before it\n  a: *base\n     ^")
        #expect(
            message("a: &base [1, *base]\n")
                == "lab.yaml:1:14: alias 'base' is inside the value of its own anchor and would expand without end\n  a: &base [1, *base]\n               ^"
        )
    }

    @Test func `is refused when its aliases multiply`() {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...30 {
            let aliases = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(aliases)]\n"
        }
        #expect(
            message(text).contains(
                "the aliases expand to more than 100000 values; an alias that multiplies others is refused"))
    }

    @Test func `is refused when its aliases multiply a long text`() {
        let text =
            "a: &a \(String(repeating: "x", count: 100_000))\n"
            + (0..<50).map { "b\($0): *a\n" }.joined()
        #expect(
            message(text).contains(
                "the aliases expand to more than 4 MiB of text; an alias that multiplies a long text is refused"))
    }

    @Test func `is refused when its aliases multiply by merging`() {
        var text = "a0: &a0 { k: { x: 1 } }\n"
        for level in 1...40 {
            text += "a\(level): &a\(level) { p: { <<: *a\(level - 1) }, q: { <<: *a\(level - 1) } }\n"
        }
        #expect(message(text).contains("the aliases expand to more than"))
    }

    /// Each of these makes the parser hash, or compare, a key that grows tenfold with each level.
    @Test(arguments: [
        "*a$: x", "{ *a$ : x }", "[*a$, *a$]: x", "{ [*a$]: x }", "? *a$", "{? *a$ : x}", "{?[*a$,\n*a$]\n: x}",
        "{*a$?[*a$]:x}", "[\"\"?*a$ : x]",
    ])
    func `is refused before aliases in a key multiply`(key: String) {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...9 {
            let aliases = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(aliases)]\n"
        }
        let parts = key.split(separator: "$", omittingEmptySubsequences: false)
        text += "last:\n  " + parts.joined(separator: "9") + "\n"
        let seen = message(text)
        #expect(seen.contains("a key is a word"), "\(seen)")
    }

    @Test func `may ask a question and use aliases`() throws {
        let text = "a: &a Does it survive?\nb: [*a, *a]\nc: 'one? (two?) \"three\"'\n"
        #expect(try LabDocument(parsing: text, path: "x").root["b"]?.elements?.count == 2)
    }

    @Test(arguments: [
        String(repeating: "[", count: 200_000), String(repeating: "- ", count: 200_000) + "a",
        String(repeating: "? ", count: 200_000) + "a", String(repeating: "{? ", count: 200_000) + "a",
        "a: " + String(repeating: "[", count: 900) + String(repeating: "]", count: 900),
        "a:" + (0..<99).map { "\n" + String(repeating: " ", count: 2 * $0) + "-" }.joined(),
    ])
    func `is refused when it is nested too deep`(text: String) {
        #expect(message(text).contains("nested deeper than 64 levels"))
    }

    @Test func `is refused when it is larger than a lab can be`() {
        #expect(
            message(String(repeating: "# x\n", count: 1 << 19))
                == "lab.yaml: is larger than 1 MiB; that is not a lab file"
        )
    }
}
