internal import Capture
internal import Foundation
internal import LabFile
internal import LabRuntime
internal import Topology

/// Finds and reads the lab that a person names: a folder, a file, or a name of the catalogue.
enum LabArgument {
    /// - Parameter seed: of all chance, instead of the lab file's
    static func load(_ argument: String, seed: Int? = nil) throws -> Lab {
        let path = try path(of: argument)
        do {
            let lab = try Lab(path: path, seed: seed)
            for filter in lab.filters {
                if let refusal = Capture.CaptureFilter.problem(in: filter.text) {
                    throw lab.error("\(refusal)", at: filter.position)
                }
            }
            return lab
        } catch let errors as LabFileErrors {
            throw Complaint(text: "\(errors)", exitCode: 2)
        }
    }

    private static func path(of argument: String) throws -> String {
        var isFolder: ObjCBool = false
        for candidate in [argument, "\(Catalogue.folder)/\(argument)"]
        where FileManager.default.fileExists(atPath: candidate, isDirectory: &isFolder) {
            return isFolder.boolValue ? (candidate as NSString).appendingPathComponent("lab.yaml") : candidate
        }
        let known = Catalogue.labs(in: Catalogue.folder).map(\.folder)
        let nearest = Spelling.nearest(to: argument, among: known + known.map { "Labs/" + $0 })
        throw Complaint(
            text: "failoverlab: there is no lab '\(argument)'"
                + (nearest.map { "; did you mean '\($0)'?" } ?? "; 'failoverlab labs' lists what is there"),
            exitCode: 2)
    }
}
