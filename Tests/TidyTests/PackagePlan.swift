import Foundation
import TestSupport

/// The modules of `Package.swift` with what each declares and what its files import.
///
/// The manifest is read as text: it keeps to the forms `module("Name", […])`, `tests("Name", […])` and
/// `.executableTarget(name:dependencies:path:)`.
struct PackagePlan {
    struct Module {
        var name: String
        /// Relative to the package.
        var folder: String
        var declared: Set<String>
        /// By module: a file that imports it.
        var imported: [String: String]
        var isTest: Bool
    }

    let modules: [Module]

    /// Modules of the system and the toolchain, which no manifest declares.
    static let ofSystem: Set<String> = [
        "Dispatch", "Foundation", "FoundationEssentials", "FoundationXML", "Glibc", "Swift", "Synchronization",
        "Testing",
    ]

    init() throws {
        let manifest = try String(contentsOfFile: Package.root + "/Package.swift", encoding: .utf8)
        let groups = Self.groups(in: manifest)
        var modules: [Module] = []
        for call in Self.calls("module", in: manifest) {
            guard let name = Self.words(call).first else { continue }
            modules.append(
                try Module(
                    name: name, folder: "Sources/" + name, declared: Self.names(call, groups).subtracting([name])))
        }
        for call in Self.calls(".executableTarget", in: manifest) {
            guard let name = Self.argument("name", of: call).flatMap({ Self.words($0).first }) else { continue }
            let folder = Self.argument("path", of: call).flatMap { Self.words($0).first } ?? "Sources/" + name
            modules.append(
                try Module(
                    name: name, folder: folder,
                    declared: Self.names(Self.argument("dependencies", of: call) ?? "", groups)))
        }
        for call in Self.calls("tests", in: manifest) {
            guard let name = Self.words(call).first else { continue }
            modules.append(
                try Module(
                    name: name + "Tests", folder: "Tests/\(name)Tests",
                    declared: Self.names(call, groups).union(["TestSupport"]), isTest: true))
        }
        self.modules = modules
    }

    // MARK: The manifest's text

    /// `let nio: [Target.Dependency] = [.product(name: "NIOCore", …), …]`, by name
    private static func groups(in text: String) -> [String: Set<String>] {
        var groups: [String: Set<String>] = [:]
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        var current: String?
        for line in lines {
            if line.hasPrefix("let "), line.contains("Target.Dependency") {
                current = line.dropFirst(4).prefix { $0.isLetter || $0.isNumber }.description
            } else if !line.hasPrefix(" "), !line.hasPrefix("]") {
                current = nil
            }
            guard let current else { continue }
            for part in line.components(separatedBy: ".product(name: \"").dropFirst() {
                groups[current, default: []].insert(String(part.prefix { $0 != "\"" }))
            }
        }
        return groups
    }

    /// The arguments of each call that begins a line.
    private static func calls(_ name: String, in text: String) -> [Substring] {
        var found: [Substring] = []
        var rest = text[...]
        while let range = rest.range(of: "\n        \(name)(") {
            let begin = range.upperBound
            var depth = 1
            var end = begin
            while end < rest.endIndex, depth > 0 {
                if "([".contains(rest[end]) { depth += 1 }
                if ")]".contains(rest[end]) { depth -= 1 }
                if depth > 0 { end = rest.index(after: end) }
            }
            found.append(rest[begin..<end])
            rest = rest[end...]
        }
        return found
    }

    private static func argument(_ label: String, of call: Substring) -> Substring? {
        guard let range = call.range(of: label + ":") else { return nil }
        let value = call[range.upperBound...].drop { $0 == " " || $0 == "\n" }
        guard value.first == "[" else { return value.prefix { $0 != "," } }
        var depth = 0
        for index in value.indices {
            if value[index] == "[" { depth += 1 }
            if value[index] == "]" { depth -= 1 }
            if depth == 0 { return value[...index] }
        }
        return value
    }

    private static func words(_ text: Substring) -> [String] {
        text.split(separator: "\"", omittingEmptySubsequences: false).enumerated()
            .compactMap { $0.offset % 2 == 1 ? String($0.element) : nil }
    }

    /// Quoted names, and what named groups stand for.
    private static func names(_ text: Substring, _ groups: [String: Set<String>]) -> Set<String> {
        // A condition that a setting defines is no dependency.
        var names = Set(words(text)).subtracting(["MUTANTS"])
        let bare = text.split(separator: "\"", omittingEmptySubsequences: false).enumerated()
            .compactMap { $0.offset % 2 == 0 ? $0.element : nil }.joined(separator: " ")
        for word in bare.split(whereSeparator: { !$0.isLetter && !$0.isNumber }) {
            names.formUnion(groups[String(word)] ?? [])
        }
        return names
    }
}

extension PackagePlan.Module {
    init(name: String, folder: String, declared: Set<String>, isTest: Bool = false) throws {
        var imported: [String: String] = [:]
        for file in SourceFiles.all(below: folder) {
            for line in try SourceFiles.text(of: file).split(separator: "\n") {
                if let module = Self.imported(by: line) { imported[module] = imported[module] ?? file }
            }
        }
        self.init(name: name, folder: folder, declared: declared, imported: imported, isTest: isTest)
    }

    /// `@testable internal import struct Wire.MACAddress` → `Wire`
    private static func imported(by line: Substring) -> String? {
        var words = line.split(separator: " ")
        while let first = words.first, first != "import" {
            guard first.hasPrefix("@") || ["public", "package", "internal", "fileprivate", "private"].contains(first)
            else { return nil }
            words.removeFirst()
        }
        guard words.first == "import", words.count > 1 else { return nil }
        let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "typealias", "func", "let", "var"]
        let path = kinds.contains(words[1]) && words.count > 2 ? words[2] : words[1]
        // A single function of libm, by its name, is arithmetic.
        if words[1] == "func", path.hasPrefix("Glibc.") { return nil }
        return path.split(separator: ".").first.map(String.init)
    }
}
