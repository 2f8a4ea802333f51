import Testing

/// What the checks of names see of a file.
struct SwiftTextTests {
    @Test func `comments and strings are no code, and what strings interpolate is`() {
        let text = SwiftText(
            ##"""
            let a = "told \(heard(say("spoke")))" // greet
            /* news */ let b = #"tell \#(patience) \(owes)"#
            let c = """
                judge "crowd" \(life)
                """
            let d = x.firstMatch(of: /"hears|\/speaks/)
            let e = half / two
            func `a test that says something`() {}
            func `switch`() {}
            """##)
        #expect(
            text.identifiers.filter { !["let", "func"].contains($0) } == [
                "a", "heard", "say", "b", "patience", "c", "life", "d", "x", "firstMatch", "of", "e", "half", "two",
                "switch",
            ])
        #expect(text.strings == ["spoke", "told -", "tell - (owes)", "\n    judge \"crowd\" -\n    "])
    }

    @Test func `types have their full names, and those of one file have none`() {
        let text = SwiftText(
            """
            public struct A: ~Copyable {
                class func make() -> A { A() }
                final class B { enum C { case `enum` } }
                private struct D { struct E {} }
            }
            extension A.B where C: P { typealias F = Int }
            fileprivate enum G {}
            public protocol P: AnyObject { var protocol: Int { get } }
            let x = frame.protocol == .Gre
            private let y = 0
            actor H {}
            """)
        #expect(text.types == ["A", "A.B", "A.B.C", "A.B.F", "P", "H"])
    }

    @Test(arguments: [
        ("isFirstSYN", ["is", "first", "syn"]), ("SYNFlood2IPv4", ["syn", "flood", "i", "pv"]),
        ("told", ["told"]), ("TLS_1", ["tls"]), ("_", []), ("unresolvedHTTPNames", ["unresolved", "http", "names"]),
    ])
    func `identifiers are words`(identifier: String, words: [String]) {
        #expect(SwiftText.words(of: identifier) == words)
    }
}
