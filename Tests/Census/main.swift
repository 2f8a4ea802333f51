// census LIMIT USER PROGRAM ARGUMENT...
//
// Runs a program in a user namespace of its own that may have at most LIMIT network namespaces, then counts how many
// can be made afterwards: what is missing to LIMIT is still held by something, with or without a process. The kernel
// keeps that count exactly, where /proc shows only namespaces that a process is in.
//
// In there the program is user USER: with 0 it has every capability, with any other none, as a person without root.
// Processes that outlive their parents, labs that stay up, become children of this one.
//
// Prints `left N` on standard error; exits with the program's code, or 99 where something is left.

import CLinux
import Glibc

func log(_ message: String) {
    let line = message + "\n"
    _ = Glibc.write(STDERR_FILENO, line, line.utf8.count)
}

func stop(_ message: String) -> Never {
    log("census: \(message): \(String(cString: strerror(errno)))")
    exit(98)
}

func write(_ text: String, to path: String) {
    let descriptor = cl_open(path, O_WRONLY, 0)
    guard descriptor >= 0, Glibc.write(descriptor, text, text.utf8.count) == text.utf8.count else { stop(path) }
    close(descriptor)
}

func wait(for child: pid_t) -> Int32 {
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0 && errno == EINTR {}
    return status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + status & 0x7f
}

/// Makes namespaces in a child until the kernel refuses; they go with it.
func countFree(upTo limit: Int) -> Int {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { stop("pipe") }
    let child = cl_fork()
    if child == 0 {
        var made: Int32 = 0
        while made < limit, cl_unshare(cl_new_net) == 0 {
            // Held by its descriptor while the next one is made.
            guard cl_open("/proc/self/ns/net", O_RDONLY, 0) >= 0 else { break }
            made += 1
        }
        _ = Glibc.write(ends[1], &made, 4)
        exit(0)
    }
    close(ends[1])
    var made: Int32 = 0
    _ = read(ends[0], &made, 4)
    close(ends[0])
    _ = wait(for: child)
    return Int(made)
}

let arguments = CommandLine.arguments
guard arguments.count > 3, let limit = Int(arguments[1]), let inner = Int(arguments[2]) else {
    log("census LIMIT USER PROGRAM ARGUMENT...")
    exit(98)
}
cl_raise_descriptor_limit()
let (user, group) = (geteuid(), getegid())
guard cl_unshare(cl_new_user) == 0 else { stop("user namespace") }
write("deny", to: "/proc/self/setgroups")
write("\(inner) \(user) 1", to: "/proc/self/uid_map")
write("\(inner) \(group) 1", to: "/proc/self/gid_map")
guard cl_adopt_orphans() == 0 else { stop("orphans") }
write("\(limit)", to: "/proc/sys/user/max_net_namespaces")

let child = cl_fork()
if child == 0 {
    let words = arguments.dropFirst(3).map { strdup($0) } + [nil]
    execv(arguments[3], words)
    stop(arguments[3])
}
let status = wait(for: child)

// Namespaces are reclaimed in the background, those of the previous count too: look again while fewer are free.
var left = limit
for _ in 0..<100 {
    left = min(left, limit - countFree(upTo: limit))
    if left <= 0 { break }
    usleep(50_000)
}
log("left \(left)")
exit(left == 0 ? status : 99)
