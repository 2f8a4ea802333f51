internal import Foundation

/// The labs below a folder.
enum Catalogue {
    /// `Labs` here; else where the script that started this command found it.
    static let folder: String = {
        let given = ProcessInfo.processInfo.environment["FAILOVERLAB_LABS"]
        return FileManager.default.fileExists(atPath: "Labs") ? "Labs" : given ?? "Labs"
    }()

    static func labs(in folder: String) -> [(folder: String, path: String)] {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return entries.sorted().compactMap { entry in
            let path = "\(folder)/\(entry)/lab.yaml"
            return FileManager.default.fileExists(atPath: path) ? (entry, path) : nil
        }
    }
}
