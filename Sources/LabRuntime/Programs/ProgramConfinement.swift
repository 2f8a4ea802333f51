internal import CLinux
internal import Glibc
internal import SystemPackage

/// The last steps between a process of the lab and a program in it: user namespace, locked mounts, limits,
/// capabilities, system calls, environment.
enum ProgramConfinement {
    /// What daemons need over their node's network and their own files, in the programs' user namespace
    /// (capability numbers of <linux/capability.h>).
    private static let capabilities: [Int] = [
        0,  // CHOWN
        1,  // DAC_OVERRIDE
        3,  // FOWNER
        4,  // FSETID
        5,  // KILL
        6,  // SETGID
        7,  // SETUID
        8,  // SETPCAP: to give up more
        10,  // NET_BIND_SERVICE
        11,  // NET_BROADCAST
        12,  // NET_ADMIN
        13,  // NET_RAW
        18,  // SYS_CHROOT
    ]
    /// Of one process, in bytes.
    static let memory: UInt64 = 4 << 30
    /// Of all programs of a lab together; threads count as well.
    static let processes: UInt64 = 2048
    static let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    /// Where memory is short, the kernel ends programs of labs first. Call while `/proc` is the lab's; children inherit
    /// it.
    static func preferForMemoryShortage() {
        let file = cl_open("/proc/self/oom_score_adj", O_WRONLY, 0)
        guard file >= 0 else { return }
        _ = write(file, "800", 3)
        close(file)
    }

    /// Confines the calling process for good. Call in the private root, with one thread.
    /// - Parameters:
    ///   - users: descriptor of the programs' user namespace
    ///   - keepsUser: whether it cannot change its user and capabilities either
    static func enter(users: Int32, keepsUser: Bool = false) throws(LabFailure) {
        try check(cl_setns(users, cl_new_user), "the programs' user namespace")
        try check(cl_become_namespace_root(), "the user")
        // Mounts that a user namespace takes over from an outer one are locked (mount_namespaces(7)).
        try check(cl_unshare(cl_new_mount | cl_new_ipc), "locked mounts")
        limit(Int32(RLIMIT_CORE.rawValue), 0)
        limit(Int32(RLIMIT_DATA.rawValue), memory)
        limit(Int32(cl_limit_processes), processes)
        let isSingleUser = (KernelFile.contents("/proc/self/uid_map") ?? "").split(separator: " ").last == "1\n"
        try check(cl_keep_capabilities(capabilities.reduce(0) { $0 | 1 << UInt64($1) }), "capabilities")
        if isSingleUser || keepsUser { try check(cl_pretend_user_changes(), "changes of the user") }
        if keepsUser { try check(cl_pretend_capability_changes(), "changes of capabilities") }
        try check(cl_forbid_calls(), "the filter of system calls")
    }

    /// - Parameter terminal: whether a person sits at it
    static func setEnvironment(home: String, terminal: Bool, more: [String: String]) {
        let terminalKind = getenv("TERM").map { String(cString: $0) }
        clearenv()
        setenv("PATH", path, 1)
        setenv("HOME", home, 1)
        setenv("LANG", "C.UTF-8", 1)
        setenv("LC_ALL", "C.UTF-8", 1)
        if terminal, let terminalKind { setenv("TERM", terminalKind, 1) }
        for (name, value) in more { setenv(name, value, 1) }
    }

    private static func limit(_ resource: Int32, _ value: UInt64) {
        var limit = rlimit()
        let number = __rlimit_resource_t(resource)
        guard getrlimit(number, &limit) == 0 else { return }
        limit.rlim_max = min(limit.rlim_max, rlim_t(value))
        limit.rlim_cur = min(limit.rlim_cur, limit.rlim_max)
        setrlimit(number, &limit)
    }

    private static func check(_ error: Int32, _ what: String) throws(LabFailure) {
        if error != 0 { throw LabFailure(.lab, "\(what) for the program: \(Errno(rawValue: error))") }
    }
}
