import LabFile
import Wire

/// One of a host's `tracked-routes` as written:
/// ```yaml
/// tracked-routes: { default: { via: [fw-a.lan-a, fw-b.lan-b], every: 20ms, misses: 3 } }
/// ```
struct TrackedRouteDefinition {
    var destination: IPv4Network
    /// Addresses or references, in the order of preference.
    var gateways: [LabValue]
    var interval: Duration
    var misses: Int
    var position: SourcePosition

    init?(_ entry: LabEntry, of node: String, _ reader: LabReader) {
        guard let destination = entry.key == "default" ? .any : IPv4Network(entry.key) else {
            reader.report(
                "'\(LabValue.shortened(entry.key))' is no destination of a route", at: entry.keyPosition,
                allowed: [IPv4Network.textForm, "default"])
            return nil
        }
        guard
            let mapping = MappingReader(
                entry.value, "the tracked route to \(entry.key)", keys: ["via", "every", "misses"], reader),
            let via = mapping.required("via")
        else { return nil }
        self.destination = destination
        position = entry.keyPosition
        gateways = reader.list(via)
        if gateways.count < 2 {
            reader.report(
                "the tracked route to \(entry.key) of '\(node)' has \(gateways.count == 1 ? "one gateway" : "no gateway")",
                at: via.position, allowed: ["two or more, the preferred one first"])
            return nil
        }
        interval = mapping.duration("every", in: .milliseconds(1)...(.seconds(60))) ?? .milliseconds(50)
        misses = mapping.integer("misses", in: 1...100) ?? 3
    }
}
