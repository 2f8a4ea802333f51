import LabFile

/// Ports as a lab writes them: `4000` or `4000-4003`.
enum PortRangeText {
    static let textForm = "a port or a range from 1 to 65535, such as 4000-4003"

    /// nil for anything else, port 0 and a range that ends before it begins.
    static func parse(_ value: LabValue) -> ClosedRange<UInt16>? {
        let parts = value.text?.split(separator: "-", omittingEmptySubsequences: false).map { UInt16($0) } ?? []
        guard let first = parts.first.flatMap(\.self), let last = parts.last.flatMap(\.self), parts.count <= 2,
            first > 0,
            first <= last
        else { return nil }
        return first...last
    }
}
