import Configuration
import LabFile
import OCIImage

/// Puts what container images say in the place of what the lab file leaves out: which image it is, and the command lines
/// of programs without `run`. So a run's own lab file has them.
struct ImagePrograms {
    let reader: LabReader

    /// What a node runs that names no program.
    static let program = "main"

    /// A lab whose images are known and whose programs have their command lines.
    func replaced(in lab: LabValue) -> LabValue {
        guard let nodes = lab["nodes"], nodes.entries != nil else { return lab }
        return lab.setting("nodes", to: nodes.mapEntries { node($0) })
    }

    private func node(_ node: LabValue) -> LabValue {
        guard let written = node["image"], !written.isNull else { return node }
        var programs = node["programs"] ?? LabValue(.mapping([]), at: written.position)
        if programs.isNull || programs.entries?.isEmpty == true {
            let main = LabEntry(
                key: Self.program, keyPosition: written.position, value: LabValue(.mapping([]), at: written.position))
            programs = LabValue(.mapping([main]), at: written.position)
        }
        let entries = programs.entries ?? []
        guard let image = ImageDefinition(written, isRead: entries.contains(where: Self.isImages), reader) else {
            return node
        }
        let changed = entries.map { entry in
            guard Self.isImages(entry) else { return entry }
            return LabEntry(key: entry.key, keyPosition: entry.keyPosition, value: program(entry, image))
        }
        if programs.entries != nil { programs = LabValue(.mapping(changed), at: programs.position) }
        return node.setting("image", to: image.resolved).setting("programs", to: programs)
    }

    /// Whether it is what the image itself runs.
    private static func isImages(_ entry: LabEntry) -> Bool {
        (entry.value.isNull || entry.value.entries != nil) && entry.value["run"] == nil
            && !ProgramForms.table.contains { $0.name == entry.key }
    }

    private func program(_ entry: LabEntry, _ image: ImageDefinition) -> LabValue {
        let value = entry.value.isNull ? LabValue(.mapping([]), at: entry.keyPosition) : entry.value
        var words = image.own?.entrypoint ?? []
        if let arguments = value["args"], !arguments.isNull {
            words += reader.list(arguments).compactMap { reader.text($0, of: "a word of 'args'") }
        } else {
            words += image.own?.command ?? []
        }
        guard !words.isEmpty else {
            reader.report(
                "the image '\(LabValue.shortened(image.configuration.path))' names no command for '\(entry.key)'",
                at: entry.keyPosition, allowed: ["'run' of the program"])
            return value
        }
        let run = words.map { LabValue(.scalar($0, isQuoted: true), at: image.position) }
        return value.setting("args", to: nil).setting("run", to: LabValue(.sequence(run), at: image.position))
    }
}
