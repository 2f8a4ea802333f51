internal import Foundation
internal import Glibc
internal import LabRuntime
internal import LabTime

/// `runs/<lab>/<UTC time>`, a new folder for every run, and `runs/<lab>/latest`, which points to the newest.
struct RunsFolder {
    let path: String

    /// Makes the folder of a new run.
    /// - Throws: `LabFailure` where it cannot be made
    init(in output: String, lab: String, at time: Timestamp) throws(LabFailure) {
        let base = URL(fileURLWithPath: output).appendingPathComponent(lab).path
        try RunFolder.make(base)
        // 2026-11-21T08:30:00.123456789Z without what a folder's name should not have.
        let name = time.description.prefix(19).filter { $0 != ":" && $0 != "-" } + "Z"
        var attempt = 1
        while true {
            let candidate = base + "/" + name + (attempt == 1 ? "" : "-\(attempt)")
            if mkdir(candidate, 0o755) == 0 {
                path = candidate
                break
            }
            guard errno == EEXIST, attempt < 1000 else {
                throw Self.failure(candidate, String(cString: strerror(errno)))
            }
            attempt += 1
        }
        // Replaced in one step, so that 'latest' always points somewhere.
        let link = base + "/.latest.\(getpid())"
        unlink(link)
        if symlink((path as NSString).lastPathComponent, link) == 0 { rename(link, base + "/latest") }
    }

    func folder(of variant: String, repetition: Int, of repetitions: Int) -> RunFolder {
        RunFolder(repetitions == 1 ? "\(path)/\(variant)" : "\(path)/\(repetition)/\(variant)")
    }

    /// Moves the folder of an attempt that decided nothing out of the way of the next one:
    /// `<run>/inconclusive/<variant>-1`.
    /// - Returns: where it is now, relative to the run's folder; nil where it cannot be moved
    func setAside(_ folder: RunFolder, attempt: Int) -> String? {
        let relative = folder.path.dropFirst(path.count + 1)
        let name = "inconclusive/" + relative.replacing("/", with: "-") + "-\(attempt)"
        guard (try? RunFolder.make(path + "/inconclusive")) != nil, rename(folder.path, "\(path)/\(name)") == 0 else {
            return nil
        }
        return name
    }

    private static func failure(_ path: String, _ reason: String) -> LabFailure {
        LabFailure(
            .lab, "the run folder '\(path)' cannot be created: \(reason)",
            remedy: "choose a folder that you may write to with --output DIR")
    }
}
