internal import CForwarders
internal import Glibc
internal import LabRuntime
internal import Topology

/// The network of a lab by `ip` commands in a shell script.
enum ScriptedNetwork {
    static func measure(_ plan: Plan) throws -> Lifetime {
        let script = NetworkScript(plan: plan)
        return try Sandbox.measure {
            try TextFile.write(script.building, to: "/run/build")
            try TextFile.write(script.removing, to: "/run/remove")
            let witness = try ReclaimWitness()
            var watch = Stopwatch()
            try ChildProgram.run(["sh", "/run/build"])
            let built = watch.elapsed
            watch = Stopwatch()
            try ChildProgram.run(["sh", "/run/remove"])
            let removed = watch.elapsed
            witness.waitUntilReclaimed()
            return Lifetime(built: built, removed: removed, reclaimed: watch.elapsed)
        }
    }
}

/// The network of a lab by failoverlab, in a process that ends when it is to go away.
enum BuiltNetworkMeasurement {
    static func measure(_ variant: Variant) throws -> Lifetime {
        try Sandbox.measure {
            let witness = try ReclaimWitness()
            var pipe: [Int32] = [-1, -1]
            guard Glibc.pipe(&pipe) == 0 else { throw BenchmarkFailure("no pipe: \(errorText)") }
            var watch = Stopwatch()
            let child = bench_fork()
            if child == 0 {
                let network = try? BuiltNetwork(building: variant)
                _ = write(pipe[1], network == nil ? "n" : "y", 1)
                while true { pause() }
            }
            var answer: UInt8 = 0
            guard child > 0, read(pipe[0], &answer, 1) == 1, answer == UInt8(ascii: "y") else {
                throw BenchmarkFailure("failoverlab could not build the network")
            }
            let built = watch.elapsed
            watch = Stopwatch()
            kill(child, SIGKILL)
            _ = ChildProgram.wait(child)
            let removed = watch.elapsed
            witness.waitUntilReclaimed()
            return Lifetime(built: built, removed: removed, reclaimed: watch.elapsed)
        }
    }
}

/// The network of a lab by Mininet, from the start of its program on.
enum MininetNetwork {
    static func measure(_ plan: Plan) throws -> Lifetime {
        let script = MininetScript(plan: plan)
        return try Sandbox.measure {
            try TextFile.write(script.text, to: "/run/network.py")
            let witness = try ReclaimWitness()
            var watch = Stopwatch()
            let program = try ChildProgram(["/usr/bin/python3", "/run/network.py"])
            try program.awaitLine("built")
            let built = watch.elapsed
            watch = Stopwatch()
            program.send("")
            try program.finish()
            let removed = watch.elapsed
            witness.waitUntilReclaimed()
            return Lifetime(built: built, removed: removed, reclaimed: watch.elapsed)
        }
    }
}

/// A whole lab by the command: `up` until every role is ready and every capture armed, `down` until the kernel has
/// reclaimed it.
enum WholeLab {
    static func measure(_ lab: String, with executable: String, output: String) throws -> Lifetime {
        var watch = Stopwatch()
        let answer = try ChildProgram.run([executable, "up", lab, "--output", output])
        let built = watch.elapsed
        guard let id = answer.split(separator: "\n").first else { throw BenchmarkFailure("'up' named no lab") }
        watch = Stopwatch()
        try ChildProgram.run([executable, "down", String(id)])
        let down = watch.elapsed
        return Lifetime(built: built, removed: down, reclaimed: down)
    }
}

enum TextFile {
    static func write(_ text: String, to path: String) throws {
        guard let file = fopen(path, "w") else { throw BenchmarkFailure("\(path): \(errorText)") }
        defer { fclose(file) }
        guard fputs(text, file) >= 0 else { throw BenchmarkFailure("\(path): \(errorText)") }
    }

    static func read(_ path: String) throws -> [UInt8] {
        guard let file = fopen(path, "r") else { throw BenchmarkFailure("\(path): \(errorText)") }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { bytes += buffer[..<count] }
        return bytes
    }
}
