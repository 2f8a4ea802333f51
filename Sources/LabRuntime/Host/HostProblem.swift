internal import CLinux
internal import Glibc
internal import SystemPackage

/// Something that a host lacks, and exactly what to change.
public struct HostProblem: Hashable, Sendable {
    public var problem: String
    public var remedy: String

    var failure: LabFailure { LabFailure(.host, problem, remedy: remedy) }

    /// `unshare(CLONE_NEWUSER)` or the writing of its ID maps was refused.
    static func userNamespaces(_ error: Int32) -> HostProblem {
        let reason = Errno(rawValue: error)
        if error == ENOSPC || setting("/proc/sys/user/max_user_namespaces") == "0" {
            return HostProblem(
                problem: "this host allows no further user namespaces (\(reason))",
                remedy: "as root: sysctl -w user.max_user_namespaces=10000 (root's labs have their own, too)")
        }
        if setting("/proc/sys/kernel/unprivileged_userns_clone") == "0" {
            return HostProblem(
                problem: "this host forbids user namespaces to unprivileged users",
                remedy: "as root: sysctl -w kernel.unprivileged_userns_clone=1, or run failoverlab as root")
        }
        if setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1" {
            return HostProblem(
                problem: "AppArmor restricts user namespaces on this host",
                remedy: """
                    as root: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or give failoverlab an AppArmor \
                    profile with 'userns,', or run failoverlab as root
                    """)
        }
        return HostProblem(
            problem: "this host refused a user namespace: \(reason)",
            remedy: """
                run failoverlab as root; in a container, start it with permission for unshare(CLONE_NEWUSER) \
                (a seccomp profile may forbid it)
                """)
    }

    /// PID, mount, IPC, UTS or network namespaces were refused.
    static func namespaces(_ error: Int32) -> HostProblem {
        let reason = Errno(rawValue: error)
        if error == ENOSPC {
            return HostProblem(
                problem: "this host allows no further namespaces (\(reason))",
                remedy: "as root: sysctl -w user.max_net_namespaces=10000 user.max_pid_namespaces=10000")
        }
        return HostProblem(
            problem: "this host refused the lab's namespaces: \(reason)",
            remedy: """
                run failoverlab as root with CAP_SYS_ADMIN, or as a user with user namespaces; in a container, add \
                the capability SYS_ADMIN and a seccomp profile that allows unshare
                """)
    }

    static func packetSockets(_ error: Int32) -> HostProblem {
        HostProblem(
            problem: "packet sockets (AF_PACKET) do not work here: \(Errno(rawValue: error))",
            remedy: """
                the kernel needs CONFIG_PACKET (modprobe af_packet); in a container, a seccomp profile that allows \
                socket(AF_PACKET)
                """)
    }

    /// A program that a lab runs in a node is not installed.
    /// - Parameter isNamedByKey: whether the lab file can name the package
    static func missingProgram(_ executable: String, package: String?, isNamedByKey: Bool = true) -> HostProblem {
        HostProblem(
            problem: "'\(executable)', which this lab runs in a node, is not installed here",
            remedy: package.map { "as root: apt-get install \($0)" }
                ?? "install the Debian package that has it (apt-file search bin/\(executable))"
                + (isNamedByKey ? "; 'package' of the program names it to others" : "")
        )
    }

    /// What container images are unpacked by.
    static func missingUnpacker(_ executable: String) -> HostProblem {
        HostProblem(
            problem: "'\(executable)', which unpacks container images, is not installed here",
            remedy: "as root: apt-get install skopeo umoci")
    }

    /// - Parameter user: what needs it
    static func ipvs(_ user: String) -> HostProblem {
        HostProblem(problem: "\(user) needs IPVS, which this kernel does not have loaded", remedy: ipvsRemedy)
    }

    static let ipvsRemedy = """
        as root: modprobe ip_vs (kernel option CONFIG_IP_VS, and one for each scheduler, such as CONFIG_IP_VS_RR); \
        where there is no such module, start a kernel that has it, as Debian's do
        """

    static func overlay(_ error: Int32) -> HostProblem {
        HostProblem(
            problem: "this kernel lays nothing over a container image (overlay): \(Errno(rawValue: error))",
            remedy: """
                as root: modprobe overlay (kernel option CONFIG_OVERLAY_FS; Linux 5.11 for user namespaces); or give the \
                cache a file system that overlay takes, by XDG_CACHE_HOME
                """)
    }

    /// Boxes and captures need them: better reported before anything is built.
    static func checkPacketSockets() throws(LabFailure) {
        let descriptor = socket(AF_PACKET, Int32(SOCK_RAW.rawValue), 0)
        guard descriptor >= 0 else { throw packetSockets(errno).failure }
        close(descriptor)
    }

    /// The tunnel device that a lab asks of the kernel.
    static func kernelTunnel(_ what: String, _ reason: String) -> HostProblem {
        HostProblem(
            problem: "this kernel does not support this tunnel: \(reason)",
            remedy: """
                as root: modprobe ipip, ip_gre or ip6_tunnel (kernel options CONFIG_NET_IPIP, CONFIG_NET_IPGRE, CONFIG_IPV6_TUNNEL); or leave \
                'end: kernel' out of the lab file: the project's own tunnel end works on every kernel
                """)
    }

    static func virtualLinks(_ what: String, _ reason: String) -> HostProblem {
        HostProblem(
            problem: "\(what) cannot be made here: \(reason)",
            remedy: "as root: modprobe veth; modprobe bridge (kernel options CONFIG_VETH and CONFIG_BRIDGE)")
    }

    /// A setting's text without its newline; nil where the kernel does not have it.
    private static func setting(_ path: String) -> String? {
        KernelFile.contents(path).map { String($0.prefix { $0 != "\n" }) }
    }
}
