import Configuration
import LabFile

/// A third-party program of a node as written.
///
///     nginx: { listen: 80, upstreams: [backend-1:80] }          the short forms are known by their names
///     bird: { as: 65001, neighbors: { router.edge: 65000 }, announce: lb/web.address }
///     cache: { run: [varnishd, -F, …], files: { name: text }, ready: { tcp: 80 } }
struct ProgramDefinition {
    var name: Located<String>
    var form: any ProgramForm
    /// Lines of its output that are events.
    var events: [ProgramConfiguration.OutputEvent]
    /// In the place of those that its form has.
    var counters: [WrittenCounterCommand]
    /// Beside those that a short form makes.
    var files: [(name: String, text: Located<String>)] = []

    /// Of every program, besides those of its form.
    static let commonKeys = ["events", "files", "counters"]

    var ports: [TransportPort] { form.ports }

    init?(_ entry: LabEntry, _ reader: LabReader) {
        guard NameRule.word.check(entry.key, "a program", at: entry.keyPosition, reader) else { return nil }
        let type = ProgramForms.form(of: entry)
        let reading = OutputEventReading(reader: reader)
        events = reading.events(entry.value["events"], of: entry.key)
        counters = CounterCommandReading(reader: reader).commands(entry.value["counters"], of: entry.key)
        var own = entry.value
        if own.entries != nil { own = own.setting("events", to: nil).setting("counters", to: nil) }
        if type is any ProgramShortForm.Type, own.entries != nil {
            for file in NodeDefinition.named(own["files"], "the files of '\(entry.key)'", reader) {
                if let file = CommandDefinition.file(file, reader) { files.append(file) }
            }
            own = own.setting("files", to: nil)
        }
        guard let form = type.init(own, reader) else { return nil }
        name = Located(value: entry.key, position: entry.keyPosition)
        self.form = form
    }

    /// With every reference replaced; nil after a report.
    func program(of node: String, in resolution: Resolution) -> ProgramConfiguration? {
        guard var program = form.program(name, of: node, in: resolution) else { return nil }
        program.events.removeAll { made in events.contains { $0.name == made.name } }
        program.events += events
        if !counters.isEmpty { program.counters = counters.map { $0.command(in: resolution) } }
        for file in files {
            if program.files.contains(where: { $0.name == file.name }) {
                resolution.reader.report(
                    "'\(file.name)' is the file that '\(name.value)' makes itself", at: file.text.position,
                    allowed: ["another name", "'config' for the whole of it"])
            }
            let text = resolution.references.resolve(
                text: file.text.value, at: file.text.position, resolution.reader)
            program.files.append(.init(name: file.name, text: text))
        }
        return program
    }
}
