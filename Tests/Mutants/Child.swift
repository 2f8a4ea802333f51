import Foundation

/// A command that runs to its end, or until somebody has seen enough.
struct Child {
    var status: Int32
    /// Ended by a signal that nobody here sent.
    var hasCrashed: Bool
    var hasTimedOut: Bool
    var lines: [String]

    /// - Parameter isEnough: asked about each line; true ends the command
    /// - Throws: where it cannot be started
    static func run(
        _ executable: String, _ arguments: [String], in folder: String, environment: [String: String],
        timeout seconds: Int, until isEnough: (String) -> Bool = { _ in false }
    ) throws -> Child {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: executable)
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let pipe = Pipe()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let (pid, end) = (process.processIdentifier, Date(timeIntervalSinceNow: Double(seconds)))
        // The pipe stays open while a child of the command has it: the clock ends the reading, too.
        let alarm = DispatchSource.makeTimerSource(queue: .global())
        alarm.schedule(deadline: .now() + .seconds(seconds))
        alarm.setEventHandler { kill(pid, SIGKILL) }
        alarm.resume()
        var lines: [String] = []
        var rest = Data()
        var isEnded = false
        reading: while true {
            let data = pipe.fileHandleForReading.availableData
            if data.isEmpty { break }
            rest.append(data)
            while let newline = rest.firstIndex(of: 10) {
                let line = String(decoding: rest[rest.startIndex..<newline], as: UTF8.self)
                rest.removeSubrange(rest.startIndex...newline)
                lines.append(line)
                if isEnough(line) {
                    isEnded = true
                    kill(pid, SIGKILL)
                    break reading
                }
            }
        }
        process.waitUntilExit()
        let hasTimedOut = !isEnded && Date() >= end
        alarm.cancel()
        return Child(
            status: process.terminationStatus,
            hasCrashed: process.terminationReason == .uncaughtSignal && !isEnded && !hasTimedOut,
            hasTimedOut: hasTimedOut, lines: lines)
    }
}
