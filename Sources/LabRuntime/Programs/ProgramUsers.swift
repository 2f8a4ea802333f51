internal import CLinux
internal import Glibc

/// The user namespaces of a lab.
///
/// | namespace | whose | users, for root | for anybody else |
/// |---|---|---|---|
/// | the lab's | our own processes | those of the host | 0 is who started it |
/// | the programs', inside it | programs, `exec`, `shell` | 0 to 65535 are ones that the host does not have | 0, the same |
///
/// The programs' namespace owns the lab's network namespaces, so programs have the rights over them that daemons need
/// (routes, raw sockets, low ports), and our own processes, outside, have them as well. Over everything else, mounts,
/// `/proc`, files and processes, programs have none.
enum ProgramUsers {
    /// Where systemd's list of user ranges has nothing, and no container does either (systemd, docs/UIDS-GIDS.md).
    private static let first: UInt32 = 1_946_157_056
    private static let count: UInt32 = 65_536

    /// User and group 0 of programs, as the lab's user namespace numbers them. 0 where the lab has a single user.
    static func root() -> UInt32 {
        let hasRange = ["uid_map", "gid_map"].allSatisfy { file in
            ranges("/proc/self/\(file)").contains { range in
                range.inside <= first && UInt64(range.inside) + range.count >= UInt64(first) + UInt64(count)
            }
        }
        return hasRange ? first : 0
    }

    /// Enters the lab's user namespace.
    /// - Returns: 0 or errno
    static func enterLab() -> Int32 {
        let (user, group) = (geteuid(), getegid())
        var identity: (users: String, groups: String)?
        if user == 0 { identity = (identityMap("/proc/self/uid_map"), identityMap("/proc/self/gid_map")) }
        return enter(identity, single: ("0 \(user) 1", "0 \(group) 1"))
    }

    /// Enters a new user namespace for programs, from the lab's.
    /// - Returns: 0 or errno
    static func enterPrograms() -> Int32 {
        let root = root()
        let map = "0 \(root) \(count)"
        return enter(root == 0 ? nil : (map, map), single: ("0 0 1", "0 0 1"))
    }

    private static func enter(
        _ maps: (users: String, groups: String)?, single: (user: String, group: String)
    ) -> Int32 {
        let result =
            if let maps {
                cl_new_user_namespace(maps.users, maps.groups, single.user, single.group)
            } else {
                cl_new_user_namespace(nil, nil, single.user, single.group)
            }
        return result < 0 ? -result : 0
    }

    /// Every user that this namespace has, under the same number inside.
    private static func identityMap(_ file: String) -> String {
        ranges(file).map { "\($0.inside) \($0.inside) \($0.count)\n" }.joined()
    }

    /// Lines of `inside outside count`.
    private static func ranges(_ file: String) -> [(inside: UInt32, count: UInt64)] {
        (KernelFile.contents(file) ?? "").split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            guard words.count == 3, let inside = UInt32(words[0]), let count = UInt64(words[2]) else { return nil }
            return (inside, count)
        }
    }
}
