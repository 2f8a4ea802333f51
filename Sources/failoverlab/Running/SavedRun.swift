internal import Foundation
internal import LabRuntime

/// Folders of variants in a saved run: the run's own, those of its repetitions, or one variant's.
enum SavedRun {
    static func folders(below path: String) -> [(repetition: Int?, folder: RunFolder)] {
        if isVariant(path) { return [(number(of: (path as NSString).deletingLastPathComponent), RunFolder(path))] }
        let inner = folders(in: path)
        // Of one repetition alone: it says which.
        let own = inner.filter(isVariant).map { (number(of: path), RunFolder($0)) }
        let repetitions = inner.compactMap { folder in number(of: folder).map { ($0, folder) } }.sorted { $0.0 < $1.0 }
        return own
            + repetitions.flatMap { number, folder in
                folders(in: folder).filter(isVariant).map { (number, RunFolder($0)) }
            }
    }

    private static func number(of path: String) -> Int? { Int((path as NSString).lastPathComponent) }

    private static func isVariant(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: path + "/lab.yaml")
            && FileManager.default.fileExists(atPath: path + "/captures")
    }

    private static func folders(in path: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted().map { "\(path)/\($0)" }
    }
}
