internal import ArgumentParser
internal import Topology

struct Validate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Checks lab files and reports mistakes; builds nothing.")

    @Argument(help: "Lab folders or files.")
    var labs: [String]

    func run() throws {
        var complaints: [String] = []
        for argument in labs {
            do {
                let lab = try LabArgument.load(argument)
                let count = lab.variants.count
                Console.answer("\(argument): ok, \(count) variant\(count == 1 ? "" : "s")\n")
            } catch let complaint as Complaint {
                complaints.append(complaint.text)
            }
        }
        if !complaints.isEmpty { throw Complaint(text: complaints.joined(separator: "\n"), exitCode: 2) }
    }
}
