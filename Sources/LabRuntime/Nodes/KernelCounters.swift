internal import LabEvents

/// The kernel's own counters of a network namespace, by group and name: `TcpExt.IPReversePathFilter`,
/// `Ip.InReceives`. A namespace begins with all of them at 0.
///
/// Equals `nstat -az`
enum KernelCounters {
    static func read() -> [CounterReading] {
        ["snmp", "netstat"].compactMap { KernelFile.contents("/proc/self/net/\($0)") }.flatMap(parse)
    }

    /// Pairs of lines: `TcpExt: Name Name …` and `TcpExt: 0 12 …`
    static func parse(_ text: String) -> [CounterReading] {
        let lines = text.split(separator: "\n").map { $0.split(separator: " ") }
        return zip(lines, lines.dropFirst()).flatMap { names, values -> [CounterReading] in
            guard let group = names.first, group == values.first, names.count == values.count, names.count > 1,
                Int64(names[1]) == nil, Int64(values[1]) != nil
            else { return [] }
            return zip(names.dropFirst(), values.dropFirst()).compactMap { name, value in
                // Settings among them may be negative (MaxConn).
                UInt64(value).map {
                    CounterReading(.kernel, [.group: String(group.dropLast()), .name: String(name)], $0)
                }
            }
        }
    }
}
