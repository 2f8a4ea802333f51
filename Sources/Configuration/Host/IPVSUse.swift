/// What a lab's programs and commands ask of IPVS, the kernel's own balancer, which not every kernel has.
public enum IPVSUse {
    /// Whether a command line calls `ipvsadm`, also within a line for a shell.
    public static func isNamed(in command: [String]) -> Bool {
        command.contains { text in
            text.split { $0.isWhitespace || ";&|()`'\"".contains($0) }.contains {
                $0.split(separator: "/").last == "ipvsadm"
            }
        }
    }

    /// Whether a `keepalived.conf` has a virtual server: keepalived then starts its process for IPVS. Comments begin
    /// with `#` or `!`. Source: keepalived.conf(5)
    public static func isNamed(inKeepalivedConfiguration text: String) -> Bool {
        text.split(whereSeparator: \.isNewline).contains { line in
            line.prefix { $0 != "#" && $0 != "!" }.drop(while: \.isWhitespace).hasPrefix("virtual_server")
        }
    }
}

extension ProgramConfiguration {
    /// Whether it can do nothing without IPVS.
    public var needsIPVS: Bool {
        if IPVSUse.isNamed(in: command) || counters.contains(where: { IPVSUse.isNamed(in: $0.command) }) { return true }
        guard command.first?.split(separator: "/").last == "keepalived" else { return false }
        // With this option keepalived starts no process for IPVS.
        guard !command.contains(where: { ["--vrrp", "-P"].contains($0) }) else { return false }
        return files.contains { IPVSUse.isNamed(inKeepalivedConfiguration: $0.text) }
    }
}
