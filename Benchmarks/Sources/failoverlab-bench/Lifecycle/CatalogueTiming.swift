internal import Foundation
internal import Report

/// All variants of a lab beside each other, by `failoverlab run`.
struct CatalogueTiming {
    let wall: Duration
    let longest: (name: String, time: Duration)
    let variants: Int

    init(_ lab: String, with executable: String, output: String) throws {
        let watch = Stopwatch()
        let answer = try ChildProgram.run([executable, "run", lab, "--format", "json", "--output", output])
        wall = watch.elapsed
        let verdict = try JSONDecoder().decode(Verdict.self, from: Data(answer.utf8))
        guard let longest = verdict.variants.max(by: { $0.seconds < $1.seconds }) else {
            throw BenchmarkFailure("the lab has no variants")
        }
        self.longest = (longest.name, .seconds(longest.seconds))
        variants = verdict.variants.count
    }

    var ratio: Double { wall / longest.time }
}
