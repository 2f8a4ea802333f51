import Foundation

/// The processes of this host, as /proc shows them.
enum ProcessTree {
    struct Entry: Hashable {
        var pid: Int32
        var parent: Int32
        var name: String
    }

    static func all() -> [Entry] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { entry in
            guard let pid = Int32(entry), let data = FileManager.default.contents(atPath: "/proc/\(pid)/stat") else {
                return nil
            }
            let text = String(decoding: data, as: UTF8.self)
            // pid (name) state parent …; a name may contain spaces and brackets.
            guard let open = text.firstIndex(of: "("), let close = text.lastIndex(of: ")") else { return nil }
            let fields = text[text.index(after: close)...].split(separator: " ")
            guard fields.count > 1, let parent = Int32(fields[1]) else { return nil }
            return Entry(pid: pid, parent: parent, name: String(text[text.index(after: open)..<close]))
        }
    }

    /// Below a process, itself not included, by PID.
    static func descendants(of root: Int32) -> [Entry] {
        let all = all()
        var found: Set<Int32> = [root]
        var grew = true
        while grew {
            grew = false
            for process in all where found.contains(process.parent) && found.insert(process.pid).inserted {
                grew = true
            }
        }
        return all.filter { found.contains($0.pid) && $0.pid != root }.sorted { $0.pid < $1.pid }
    }
}
