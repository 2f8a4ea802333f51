import LabFile

/// A third-party program of a node as written.
///
///     nginx: { listen: 80, upstreams: [backend-1:80] }          the short forms are known by their names
///     bird: { as: 65001, neighbors: { router.edge: 65000 }, announce: lb/web.address }
///     cache: { run: [varnishd, -F, …], files: { name: text }, ready: { tcp: 80 } }
struct ProgramDefinition {
    var name: Located<String>
    var form: any ProgramForm

    var ports: [TransportPort] { form.ports }

    init?(_ entry: LabEntry, _ reader: LabReader) {
        guard NameRule.word.check(entry.key, "a program", at: entry.keyPosition, reader),
            let form = ProgramForms.form(of: entry).init(entry.value, reader)
        else { return nil }
        name = Located(value: entry.key, position: entry.keyPosition)
        self.form = form
    }
}
