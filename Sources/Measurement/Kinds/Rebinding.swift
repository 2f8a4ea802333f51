/// When a UDP flow goes on from another source port, as behind a NAT that has forgotten its mapping.
public enum Rebinding: Hashable, Sendable, Codable {
    /// Once, so long after its start.
    case after(Duration)
    /// After each so many requests.
    case requests(Int)

    static let key = TrafficKey(
        "rebind", usual: "off",
        "another source port: `{ after: 500ms }`, once; `{ requests: 10 }`, after each ten requests")

    static func read(_ written: some WrittenTraffic) -> Self? {
        guard written.has(key.name), let mapping = written.mapping(key.name, keys: ["after", "requests"]) else {
            return nil
        }
        guard mapping.has("after") != mapping.has("requests") else {
            written.report(
                "'rebind' has \(mapping.has("after") ? "both 'after' and 'requests'" : "neither 'after' nor 'requests'")",
                atKey: key.name, allowed: ["one of after, requests"])
            return nil
        }
        return mapping.duration("after", in: .milliseconds(1)...(.seconds(3600))).map { .after($0) }
            ?? mapping.integer("requests", in: 1...1_000_000).map { .requests($0) }
    }
}
