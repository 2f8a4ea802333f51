internal import Foundation
internal import Glibc
internal import LabRuntime
internal import Report

/// Folders of variants in a saved run: the run's own, those of its repetitions, or one variant's.
enum SavedRun {
    struct Part {
        /// The folder's name, which is the variant's unless somebody renamed it.
        var name: String
        var repetition: Int?
        var folder: RunFolder
    }

    /// Every variant that left anything, however damaged.
    static func parts(below path: String) -> [Part] {
        if isVariant(path) { return [part(path, repetition: number(of: parent(of: path)))] }
        let inner = folders(in: path)
        // Of one repetition alone: it has its number.
        let own = inner.filter(isInnerVariant).map { part($0, repetition: number(of: path)) }
        let repetitions = inner.compactMap { folder in number(of: folder).map { ($0, folder) } }.sorted { $0.0 < $1.0 }
        return own
            + repetitions.filter { !isInnerVariant($0.1) }.flatMap { number, folder in
                folders(in: folder).filter(isInnerVariant).map { part($0, repetition: number) }
            }
    }

    /// Variants that the run's own verdict names and that left nothing at all.
    static func missing(below path: String, besides parts: [Part]) -> [Part] {
        guard let bytes = try? SavedFile.bytes(of: path + "/verdict.json"),
            let verdict = try? Verdict(json: String(decoding: bytes, as: UTF8.self))
        else { return [] }
        return verdict.variants.compactMap { variant in
            let isThere = parts.contains {
                $0.name == variant.name && (variant.repetition == nil || $0.repetition == variant.repetition)
            }
            guard !isThere else { return nil }
            return Part(
                name: variant.name, repetition: variant.repetition, folder: RunFolder("\(path)/\(variant.folder)"))
        }
    }

    private static func part(_ path: String, repetition: Int?) -> Part {
        Part(name: lastComponent(of: path), repetition: repetition, folder: RunFolder(path))
    }

    private static func number(of path: String) -> Int? {
        let name = lastComponent(of: path)
        return name.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(name) : nil
    }

    private static func lastComponent(of path: String) -> String {
        path.split(separator: "/").last.map(String.init) ?? ""
    }

    /// Empty where the path has one component alone.
    private static func parent(of path: String) -> String {
        path.split(separator: "/").dropLast().joined(separator: "/")
    }

    /// A folder that a person names. A lab's folder has a `lab.yaml`, too, and nothing else of these.
    private static func isVariant(_ path: String) -> Bool {
        let folder = RunFolder(path)
        return files(of: folder).contains(where: exists) || exists(folder.lab) && exists(folder.captures)
    }

    /// A folder inside a run's. A run's own folder has none of these files.
    private static func isInnerVariant(_ path: String) -> Bool {
        let folder = RunFolder(path)
        return isVariant(path) || exists(folder.lab) || exists(folder.captures) && exists(folder.logs)
    }

    private static func files(of folder: RunFolder) -> [String] {
        [folder.events, folder.captureSummaries, folder.traffic, folder.counters, folder.run]
    }

    private static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    private static func folders(in path: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.sorted().map { path.hasSuffix("/") ? path + $0 : "\(path)/\($0)" }
    }
}
