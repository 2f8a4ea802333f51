import LabFile

/// Files beside the lab that are files of its programs: `{ from: haproxy.cfg, replace: { "retries 3": "retries 0" } }`
/// in `files`, or as a `config` or as `rules`. They are replaced by their text before anything else is read, so that a run's own lab
/// file has it, too.
struct ProgramFileTexts {
    static let keys = ["from", "replace"]
    /// Bytes of all of them in one variant, which a run's own lab file repeats.
    static let most = 512 << 10

    let reader: LabReader

    /// Whether a text can only be meant as the name of a file: one word, and the file's own name, one of the same kind,
    /// or a file beside the lab.
    static func isFileName(_ text: String, for name: String, _ reader: LabReader) -> Bool {
        let isWord = text.utf8.count <= 200 && text.allSatisfy { $0.isLetter || $0.isNumber || "-_./".contains($0) }
        guard isWord, text.contains(".") else { return false }
        func kind(_ name: String) -> Substring? { name.lastIndex(of: ".").map { name[$0...] } }
        return text == name || kind(text) == kind(name) || (try? FileBesideLab(text, in: reader.folder)) != nil
    }

    /// A lab whose programs have their files' texts.
    func replaced(in lab: LabValue) -> LabValue {
        guard let nodes = lab["nodes"], nodes.entries != nil else { return lab }
        var bytes = 0
        let changed = nodes.mapEntries { node in
            guard let programs = node["programs"] else { return node }
            return node.setting(
                "programs",
                to: programs.mapEntries { program in
                    var program = program
                    for key in ["config", "rules"] {
                        if let whole = program[key] { program = program.setting(key, to: text(whole, &bytes)) }
                    }
                    guard let files = program["files"] else { return program }
                    return program.setting("files", to: files.mapEntries { text($0, &bytes) })
                })
        }
        return lab.setting("nodes", to: changed)
    }

    private func text(_ value: LabValue, _ bytes: inout Int) -> LabValue {
        guard value.entries != nil else { return value }
        let nothing = LabValue(.scalar("", isQuoted: true), at: value.position)
        guard let mapping = MappingReader(value, "a file of a program", keys: Self.keys, reader),
            let from = mapping.required("from"), let name = mapping.text("from")
        else { return nothing }
        var text: String
        do throws(FileBesideLab.Problem) {
            text = try FileBesideLab(name, in: reader.folder).text
        } catch {
            reader.report(
                "the file '\(LabValue.shortened(name))' \(error)", at: from.position,
                allowed: error == .outside ? ["a file in the lab's folder, or below it"] : [])
            return nothing
        }
        for entry in NodeDefinition.named(mapping["replace"], "what is replaced in '\(name)'", reader) {
            guard let new = reader.text(entry.value, of: "what replaces '\(LabValue.shortened(entry.key))'") else {
                continue
            }
            guard !entry.key.isEmpty, text.contains(entry.key) else {
                reader.report(
                    "'\(name)' does not have the text '\(LabValue.shortened(entry.key))'", at: entry.keyPosition)
                continue
            }
            text = text.replacing(entry.key, with: new)
        }
        bytes += text.utf8.count
        if bytes > Self.most {
            reader.report(
                "the programs' files up to '\(LabValue.shortened(name))' have \(bytes) bytes together",
                at: from.position, allowed: ["at most \(Self.most) from files beside the lab"])
            return nothing
        }
        return LabValue(.scalar(text, isQuoted: true), at: from.position)
    }
}

extension LabValue {
    /// A mapping whose values are changed; anything else stays.
    func mapEntries(_ change: (LabValue) -> LabValue) -> LabValue {
        guard let entries else { return self }
        return LabValue(
            .mapping(
                entries.map { LabEntry(key: $0.key, keyPosition: $0.keyPosition, value: change($0.value)) }),
            at: position)
    }
}
