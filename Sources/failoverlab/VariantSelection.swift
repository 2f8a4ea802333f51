internal import Glibc
internal import LabFile
internal import Topology

/// The variants of a lab that the arguments select.
enum VariantSelection {
    static func unknown(_ name: String, of lab: Lab) -> Complaint {
        let names = lab.variants.map(\.name)
        let nearest = Spelling.nearest(to: name, among: names)
        return Complaint(
            text: "failoverlab: lab '\(lab.name)' has no variant '\(name)'; it has \(names.joined(separator: ", "))"
                + (nearest.map { "; did you mean '\($0)'?" } ?? ""),
            exitCode: 2)
    }

    /// Names, or patterns with `*`; without any, all that do not wait to be named.
    static func variants(_ names: [String], of lab: Lab) throws -> [Variant] {
        guard !names.isEmpty else {
            let unasked = lab.variants.filter { !$0.isOnRequest }
            if unasked.isEmpty {
                throw Complaint(
                    text: "failoverlab: every variant of lab '\(lab.name)' runs on request; name one with --variant: "
                        + lab.variants.map(\.name).joined(separator: ", "), exitCode: 2)
            }
            return unasked
        }
        for name in names where !lab.variants.contains(where: { matches(name, $0.name) }) {
            throw unknown(name, of: lab)
        }
        return lab.variants.filter { variant in names.contains { matches($0, variant.name) } }
    }

    /// One by its name; the first where none is named.
    static func variant(_ name: String?, of lab: Lab) throws -> Variant {
        guard let variant = name.map({ lab.variant(named: $0) }) ?? lab.variants.first else {
            throw unknown(name ?? "", of: lab)
        }
        return variant
    }

    private static func matches(_ pattern: String, _ name: String) -> Bool { fnmatch(pattern, name, 0) == 0 }
}
