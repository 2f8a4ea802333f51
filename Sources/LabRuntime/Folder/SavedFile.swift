internal import CLinux
internal import Glibc
internal import RegularFile
internal import SystemPackage

/// Files of a saved run, which anybody may have changed: read only where they are regular files, and never more than a
/// stated number of bytes.
public enum SavedFile {
    /// Bytes of a file that is read into memory: events, figures, logs. A run of hours has some tens of millions.
    public static let mostBytes = 1 << 30

    /// - Throws: `LabFailure` that names the file and what it is instead
    public static func bytes(of path: String, most: Int = mostBytes) throws(LabFailure) -> [UInt8] {
        do throws(RegularFile.Problem) {
            return try RegularFile(path).bytes(most: most)
        } catch {
            switch error {
            case .unreadable(let code):
                throw LabFailure(
                    .lab, "'\(path)' cannot be read: \(Errno(rawValue: code))",
                    remedy: "a run that was ended early has no figures to evaluate; its captures can still be read")
            case .notRegular: throw .damaged(path, "it is not a regular file")
            case .tooLarge: throw .damaged(path, "it has more than \(most >> 20) MiB")
            }
        }
    }

    /// Whether a path leads to a regular file; nothing is opened.
    public static func isRegular(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }
}

extension LabFailure {
    /// A file of a saved run has values that no run writes: its variant is not decided.
    static func damaged(_ path: String, _ what: String) -> LabFailure {
        LabFailure(.undecided, "'\(path)' is damaged, or from another version: \(what)")
    }
}
