internal import CLinux
internal import Glibc
internal import SystemPackage

/// The process between the command and the lab: it makes the lab's namespaces, starts the supervisor as the first
/// process of a PID namespace, and ends when the kernel has reclaimed everything.
///
/// Nothing can outlive it: the supervisor asks the kernel for SIGKILL when its warden ends, and with the first
/// process of a PID namespace end all others. When the command dies, the supervisor sees its
/// channel close and ends the lab; if it has not after a few seconds, the warden ends it.
enum Warden {
    /// The warden's descriptors, handed to it by `LabProcess`.
    static let controlDescriptor: Int32 = 3
    static let listenerDescriptor: Int32 = 4

    /// How long the supervisor may take to end the lab after the command has ended.
    private static let stopTimeout: Int32 = 5_000

    static func run(isPersistent: Bool) -> Never {
        cl_set_process_name("fl-warden")
        do {
            try enterNamespaces()
        } catch {
            report(error)
        }
        // Its writing end stays here alone: it hangs up when this process has ended.
        var reclaimed: [Int32] = [-1, -1]
        guard pipe(&reclaimed) == 0 else {
            report(LabFailure(.lab, "could not make a pipe: \(Errno(rawValue: errno))"))
        }
        let pid = cl_fork()
        if pid == 0 {
            _ = cl_set_parent_death_signal(SIGKILL)
            close(reclaimed[1])
            Supervisor.main(
                control: controlDescriptor, listener: listenerDescriptor, reclaimed: reclaimed[0],
                isPersistent: isPersistent)
        }
        close(reclaimed[0])
        guard pid > 0 else { report(LabFailure(.lab, "could not start the supervisor: \(Errno(rawValue: errno))")) }
        close(listenerDescriptor)
        var witness = try? ReclaimWitness()
        let end = watch(pid, isPersistent: isPersistent)
        close(controlDescriptor)
        if case .exited = end {
            witness.take()?.waitUntilReclaimed(socketsJustClosed: false)
        } else {
            witness.take()?.waitUntilReclaimed()
        }
        if case .exited(let code) = end { exit(code) }
        exit(3)
    }

    /// A user namespace first, also for root: over what is the host's, the lab then has no rights but those of its user's
    /// files. Then the others; the next child is the first of its PID namespace.
    static func enterNamespaces() throws(LabFailure) {
        let others = cl_new_pid | cl_new_mount | cl_new_ipc | cl_new_uts | cl_new_net
        uncoverKernelFiles()
        let refusal = ProgramUsers.enterLab()
        guard refusal == 0 else { throw HostProblem.userNamespaces(refusal).failure }
        var error = cl_unshare(others)
        guard error == 0 else { throw HostProblem.namespaces(error).failure }
        error = cl_make_mounts_private()
        guard error == 0 else {
            throw LabFailure(.lab, "could not make the lab's mounts private: \(Errno(rawValue: error))")
        }
    }

    /// Containers cover parts of `/proc` and `/sys` and keep settings read-only. Whoever has CAP_SYS_ADMIN outside a user
    /// namespace of his own may mount whole ones; inside one the kernel then allows what shows no more than these do.
    private static func uncoverKernelFiles() {
        guard geteuid() == 0, cl_unshare(cl_new_mount) == 0, cl_make_mounts_private() == 0 else { return }
        let attributes = UInt32(cl_no_suid | cl_no_devices | cl_no_exec)
        _ = cl_mount_new("proc", "/proc", attributes, nil)
        // The same file system twice in one place is refused: something between them.
        if cl_mount_new("tmpfs", "/sys", attributes, "size=4k") == 0,
            cl_mount_new("sysfs", "/sys", attributes, nil) != 0
        {
            _ = cl_let_go_of_mount("/sys")
        }
    }

    /// Waits for the supervisor; after the end of the command only for this time.
    private static func watch(_ pid: pid_t, isPersistent: Bool) -> ChildProcess.End {
        let child = ChildProcess(existing: pid)
        let pidDescriptor = cl_pidfd_open(pid)
        guard pidDescriptor >= 0 else { return child.wait() }
        defer { close(pidDescriptor) }
        var polled = [
            pollfd(fd: pidDescriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: isPersistent ? -1 : controlDescriptor, events: 0, revents: 0),
        ]
        var timeout: Int32 = -1
        while true {
            let ready = poll(&polled, 2, timeout)
            if ready < 0 && errno == EINTR { continue }
            if polled[0].revents != 0 { return child.wait() }
            if ready == 0 { child.signal(SIGKILL) }
            if polled[1].revents != 0 {
                polled[1].fd = -1
                timeout = stopTimeout
            }
        }
    }

    private static func report(_ failure: LabFailure) -> Never {
        var line = JSONLine.encode(SupervisorReport.failed(failure))
        line.append(UInt8(ascii: "\n"))
        _ = Glibc.write(controlDescriptor, line, line.count)
        exit(failure.kind == .host ? 4 : 3)
    }
}

extension ChildProcess {
    init(existing pid: pid_t) { self.pid = pid }
}
