internal import Capture
internal import Foundation
internal import HostSide
internal import LabFile
internal import LabRuntime
internal import Topology

/// Finds and reads the lab of an argument: a folder, a file, or a name of the catalogue.
enum LabArgument {
    /// - Parameters:
    ///   - seed: of all randomness, instead of the lab file's
    ///   - isPlayed: whether the lab is to run, for which the files that it names must be there and fit
    static func load(_ argument: String, seed: Int? = nil, isPlayed: Bool = true) throws -> Lab {
        try load(path: try path(of: argument), seed: seed, isPlayed: isPlayed, isSaved: false)
    }

    /// The file that a run left in its folder.
    /// - Throws: `Complaint` with the mistakes in the file
    static func load(saved path: String) throws -> Lab {
        guard SavedFile.isRegular(path) else {
            throw Complaint(text: "'\(path)' is missing, or no regular file", exitCode: 2)
        }
        return try load(path: path, seed: nil, isPlayed: false, isSaved: true)
    }

    private static func load(path: String, seed: Int?, isPlayed: Bool, isSaved: Bool) throws -> Lab {
        do {
            let lab = try Lab(path: path, seed: seed, isSaved: isSaved)
            var good = Set<String>()
            for filter in lab.filters where good.insert(filter.text).inserted {
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
        for candidate in [argument, "\(LabCatalogue.shippedFolder)/\(argument)"]
        where FileManager.default.fileExists(atPath: candidate, isDirectory: &isFolder) {
            guard isFolder.boolValue else { return candidate }
            let file = (candidate as NSString).appendingPathComponent("lab.yaml")
            // A folder of labs is none itself: its name may be the end of a lab's.
            if candidate == argument || FileManager.default.fileExists(atPath: file) { return file }
        }
        let catalogue = LabCatalogue(folder: LabCatalogue.shippedFolder)
        if let path = try catalogue.path(of: argument) { return path }
        throw Complaint(
            text: "failoverlab: there is no lab '\(argument)'"
                + (catalogue.nearest(to: argument).map { "; did you mean '\($0)'?" }
                    ?? "; 'failoverlab labs' lists them"),
            exitCode: 2)
    }
}
