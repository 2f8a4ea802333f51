internal import ArgumentParser
internal import LabRuntime

struct Down: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Ends a lab and waits until the kernel has reclaimed it; captures stay.")

    @Flag(help: "Every lab of this user.")
    var all = false

    @Argument(help: "The lab's name or id; not needed where only one is up.")
    var lab: String?

    func run() throws {
        if all {
            var failures: [LabFailure] = []
            for lab in RunningLab.all() {
                do {
                    try lab.down()
                } catch {
                    // One that has ended meanwhile is down as well.
                    if RunningLab.all().contains(lab) { failures.append(error) }
                }
            }
            if let first = failures.first { throw first }
        } else {
            try RunningLab.named(lab).down()
        }
    }
}
