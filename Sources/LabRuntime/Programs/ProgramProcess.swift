internal import CLinux
internal import Glibc
internal import SystemPackage

/// What the process that starts a program is told.
struct ProgramStart: Codable {
    /// `lb.bird`
    var name: String
    var command: [String]
    var folder: String
    /// The run's folder, which stays writable.
    var run: String
    var scratch: [String]
}

/// The first process of a program's PID namespace: it shuts the program off from the host, starts it, collects what it
/// leaves, and ends with it.
///
/// Descriptors: 1 and 2 the log, 3 a pipe for the status with which the program ended. The program sees the host's files
/// read-only, but for an empty `/tmp`, `/var/tmp`, `/var/log`, `/dev/shm` and scratch folders of its own, its node's
/// `/run`, and the run's folder.
enum ProgramProcess {
    private static let statusDescriptor: Int32 = 3

    static func run(_ text: String) -> Never {
        do {
            let start = try JSONLine.decode(ProgramStart.self, from: Array(text.utf8))
            cl_set_process_name("fl-" + start.name)
            try shutOff(start)
            try allowUserChanges()
            execute(start)
        } catch {
            complain("\(error)")
            exit(126)
        }
    }

    // MARK: The host's files

    private static func shutOff(_ start: ProgramStart) throws(LabFailure) {
        try check(cl_unshare(cl_new_mount), "a mount namespace")
        try check(cl_make_mounts_private(), "private mounts")
        // Kept through a descriptor: it may be below /tmp, which is covered next.
        let run = cl_open_folder(start.run)
        guard run >= 0 else { throw LabFailure(.lab, "'\(start.run)': \(Errno(rawValue: -run))") }
        var writable = ["/run"]
        for path in ["/tmp", "/var/tmp", "/var/log", "/dev/shm"] + start.scratch where access(path, F_OK) == 0 {
            try check(
                cl_cover(path, path.hasSuffix("tmp") || path == "/dev/shm" ? 0o1777 : 0o755), "an empty '\(path)'")
            writable.append(path)
        }
        if access(start.run, F_OK) != 0 { try RunFolder.make(start.run) }
        try check(cl_bind_descriptor(run, start.run), "the run's folder")
        close(run)
        try check(cl_make_everything_read_only(), "read-only mounts (Linux 5.12)")
        // The settings of its own network namespace; a container may keep even these from everybody.
        _ = cl_make_writable("/proc")
        for path in writable + [start.run] { try check(cl_make_writable(path), "a writable '\(path)'") }
    }

    private static func check(_ error: Int32, _ what: String) throws(LabFailure) {
        if error != 0 { throw LabFailure(.lab, "\(what) for the program: \(Errno(rawValue: error))") }
    }

    // MARK: Its user

    /// A lab without root has a single user, which is root in its user namespace: a daemon that wants to be
    /// `www-data` afterwards would fail.
    private static func allowUserChanges() throws(LabFailure) {
        let users = (KernelFile.contents("/proc/self/uid_map") ?? "").split(separator: "\n").compactMap { line in
            line.split(separator: " ").last.flatMap { Int($0) }
        }
        if users.reduce(0, +) <= 1 { try check(cl_pretend_user_changes(), "changes of the user") }
    }

    // MARK: Running

    private static func execute(_ start: ProgramStart) -> Never {
        fcntl(statusDescriptor, F_SETFD, FD_CLOEXEC)
        let main = cl_fork()
        if main == 0 { becomeProgram(start) }
        guard main > 0 else {
            complain("could not be started: \(Errno(rawValue: errno))")
            exit(126)
        }
        while true {
            var status: Int32 = 0
            let pid = waitpid(-1, &status, 0)
            if pid < 0 && errno == EINTR { continue }
            // What the program has left behind comes here as well.
            guard pid == main || pid < 0 else { continue }
            _ = write(statusDescriptor, &status, 4)
            exit(0)
        }
    }

    private static func becomeProgram(_ start: ProgramStart) -> Never {
        signal(SIGPIPE, SIG_DFL)
        guard let executable = start.command.first.flatMap({ Executable.path(of: $0) }) else {
            complain("'\(start.command.first ?? "")' is not installed")
            exit(127)
        }
        setenv("PATH", Executable.folders.joined(separator: ":"), 1)
        setenv("HOME", start.folder, 1)
        setenv("LC_ALL", "C.UTF-8", 1)
        guard chdir(start.folder) == 0 else {
            complain("'\(start.folder)': \(Errno(rawValue: errno))")
            exit(126)
        }
        let words = start.command.map { strdup($0) } + [nil]
        execv(executable, words)
        complain("'\(executable)' cannot be run: \(Errno(rawValue: errno))")
        exit(126)
    }

    private static func complain(_ text: String) {
        let line = "failoverlab: \(text)\n"
        _ = write(STDERR_FILENO, line, line.utf8.count)
    }
}
