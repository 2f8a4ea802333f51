internal import ArgumentParser
internal import Glibc
internal import LabRuntime
internal import Report

struct Failoverlab: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "failoverlab",
        abstract: "Reproduces failover and load-balancing failures, proves them from captures, and proves the cure.",
        discussion: """
            A lab is a folder with a lab.yaml. Try: failoverlab run Labs/fast-path-mac-failover

            Exit codes: 0 every variant as expected · 1 an expectation failed · 2 usage or lab file · 3 the lab could \
            not be built or a node died unexpectedly · 4 this host cannot run it · 5 inconclusive · 130 interrupted
            """,
        version: "0.1.0",
        subcommands: [
            Run.self, Up.self, Down.self, Status.self, Exec.self, Shell.self, Fail.self, Do.self, CaptureVerb.self,
            Connections.self,
            Check.self, Validate.self, Graph.self, Labs.self, Doctor.self,
        ])

    /// Ends if the system does not give the command line, which would look like a call without a verb.
    ///
    /// Swift's standard library reads it from `/proc/self/cmdline`. A process always has a word zero.
    static func checkCommandLine() {
        guard CommandLine.arguments.isEmpty else { return }
        let failure = LabFailure(
            .host, "this command cannot read its own command line: /proc is not mounted, or is that of other processes",
            remedy: "as root: mount -t proc proc /proc; in a container, start it with a /proc of its own")
        Console.complain("failoverlab: \(failure)")
        Glibc.exit(failure.reportedCode.rawValue)
    }

    /// Runs the command; what it throws becomes a message on standard error and an exit code.
    static func start() -> Never {
        // A closed pipe is an error of the write, not the silent end of this process and its labs.
        signal(SIGPIPE, SIG_IGN)
        do {
            var command = try parseAsRoot()
            try command.run()
            Glibc.exit(0)
        } catch let failure as LabFailure {
            Console.complain("failoverlab: \(failure)")
            Glibc.exit(failure.reportedCode.rawValue)
        } catch let complaint as Complaint {
            Console.complain(complaint.text)
            Glibc.exit(complaint.exitCode)
        } catch {
            let code = exitCode(for: error)
            if code == .success {
                // Help, the version, a completion script.
                Console.answer(fullMessage(for: error) + "\n")
                Glibc.exit(0)
            }
            Console.complain(fullMessage(for: error))
            Glibc.exit(code == .validationFailure ? 2 : code.rawValue)
        }
    }
}

/// A message for the person at the terminal, with the exit code that belongs to it.
struct Complaint: Error {
    var text: String
    var exitCode: Int32
}
