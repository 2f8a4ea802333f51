internal import Capture
internal import Foundation
internal import HostSide
internal import LabFile
internal import LabRuntime
internal import Topology

/// Finds and reads the lab that a person names: a folder, a file, or a name of the catalogue.
enum LabArgument {
    /// - Parameters:
    ///   - seed: of all chance, instead of the lab file's
    ///   - isPlayed: whether the lab is to run, for which the files that it names must be there and fit
    static func load(_ argument: String, seed: Int? = nil, isPlayed: Bool = true) throws -> Lab {
        let path = try path(of: argument)
        do {
            let lab = try Lab(path: path, seed: seed)
            for filter in lab.filters {
                if let refusal = Capture.CaptureFilter.problem(in: filter.text) {
                    throw lab.error("\(refusal)", at: filter.position)
                }
            }
            if isPlayed, let absence = lab.absences.first { throw lab.error(absence.problem, at: absence.position) }
            for files in isPlayed ? lab.certificates : [] {
                if let problem = CertificateProblem(certificate: files.certificate, key: files.key) {
                    throw lab.error(problem.text, at: problem.isOfKey ? files.keyPosition : files.certificatePosition)
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
