internal import CLinux
internal import Glibc
internal import SystemPackage

extension RunningLab {
    /// Runs a program inside a node, with this process's terminal, and exits with its exit code.
    ///
    /// The program belongs to the lab's PID namespace, so that it ends with the lab. Call before any thread exists:
    /// the kernel lets only a single-threaded process into a user namespace.
    public func execute(_ command: [String], in node: String) throws(LabFailure) -> Never {
        let entry = try NodeEntry(to: node, side: .host, of: self)
        try entry.enterLab()
        try entry.enterMounts()
        try entry.enterNetwork()
        setenv("FAILOVERLAB_LAB", id, 1)
        setenv("FAILOVERLAB_NODE", node, 1)
        // Where a parent has it ignored, children end without a trace.
        signal(SIGCHLD, SIG_DFL)
        let terminal = isatty(STDIN_FILENO) == 1 ? Terminal() : nil
        let child = cl_fork()
        if child == 0 {
            _ = cl_set_parent_death_signal(SIGKILL)
            signal(SIGPIPE, SIG_DFL)
            terminal?.moveToForeground(0)
            let words = command.map { strdup($0) } + [nil]
            execvp(command[0], words)
            let reason = Errno(rawValue: errno)
            let complaint = "failoverlab: '\(command[0])' cannot be run in '\(node)': \(reason)\n"
            _ = write(STDERR_FILENO, complaint, complaint.utf8.count)
            exit(reason == .noSuchFileOrDirectory ? 127 : 126)
        }
        guard child > 0 else { throw LabFailure(.lab, "could not start '\(command[0])': \(Errno(rawValue: errno))") }
        // The terminal's signals are for the program; this process only waits and passes its end on.
        signal(SIGINT, SIG_IGN)
        signal(SIGQUIT, SIG_IGN)
        terminal?.moveToForeground(child)
        var status: Int32 = 0
        while true {
            guard waitpid(child, &status, WUNTRACED) == child else { continue }
            // Stopped with Ctrl-Z: so is this command, until the person's shell continues it.
            guard status & 0xff == 0x7f else { break }
            terminal?.takeBack()
            raise(SIGSTOP)
            terminal?.moveToForeground(child)
            kill(-child, SIGCONT)
        }
        terminal?.takeBack()
        switch ChildProcess.End(status: status) {
        case .exited(let code): exit(code)
        case .killed(let signal): exit(128 + signal)
        }
    }
}

/// Hands the terminal to the program. It needs a process group of its own: that of this command is outside the lab's
/// PID namespace, so a shell inside could not give the terminal back to it.
private struct Terminal {
    private let own = getpgrp()

    /// - Parameter process: 0 for the calling one
    func moveToForeground(_ process: pid_t) {
        setpgid(process, process)
        set(process == 0 ? getpid() : process)
    }

    func takeBack() { set(own) }

    private func set(_ group: pid_t) {
        // A process in the background that takes the terminal is stopped unless it ignores this signal.
        let before = signal(SIGTTOU, SIG_IGN)
        tcsetpgrp(STDIN_FILENO, group)
        signal(SIGTTOU, before)
    }
}
