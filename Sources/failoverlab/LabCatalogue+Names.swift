internal import Foundation
internal import LabFile

extension LabCatalogue {
    /// `Labs` here; else where the script that started this command found it.
    static let shippedFolder: String = {
        let given = ProcessInfo.processInfo.environment["FAILOVERLAB_LABS"]
        return FileManager.default.fileExists(atPath: "Labs") ? "Labs" : given ?? "Labs"
    }()

    /// The lab file that `name` means.
    /// - Throws: `Complaint` where several labs could be meant; nil where none is
    func path(of name: String) throws -> String? {
        let meant = entries(named: name)
        guard meant.count > 1 else { return meant.first?.path }
        throw Complaint(
            text: "failoverlab: '\(name)' is ambiguous; it may be " + meant.map(\.name).joined(separator: ", "),
            exitCode: 2)
    }

    /// The name of a lab that is spelled most like `name`.
    func nearest(to name: String) -> String? {
        let names = entries.map(\.name)
        let last = names.map { String($0.split(separator: "/").last ?? "") }
        return Spelling.nearest(to: name, among: names + names.map { "Labs/" + $0 } + last)
    }
}
