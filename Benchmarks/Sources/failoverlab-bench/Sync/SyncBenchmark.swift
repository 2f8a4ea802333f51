internal import ArgumentParser
internal import CForwarders
internal import Foundation
internal import Netlink

/// Sessions a second and bytes a session on the cross-connect of a pair, beside conntrackd.
struct SyncBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sync",
        abstract: "Sessions a second and bytes a session on a pair's cross-connect, beside conntrackd (FTFW).")

    @Option(help: "Sessions of our pair; conntrackd gets as many as the kernel allows, and our pair that number too.")
    var sessions = 1_000_000

    @Option(help: "Measurements of each; they take turns.")
    var repetitions = 5

    @Option(
        help: "Only measurements whose name has this in it, such as 'failoverlab, live': for who looks for a bound.")
    var only: String?

    func validate() throws {
        guard sessions >= 1000, sessions <= 16_000_000, repetitions >= 1, repetitions <= 100 else {
            throw ValidationError("--sessions is 1000 to 16000000, --repetitions 1 to 100.")
        }
    }

    func run() throws {
        do {
            _ = try NetworkNamespace.createAndEnter()
        } catch {
            let code = bench_enter_user_namespace()
            guard code == 0 else {
                throw BenchmarkFailure(
                    "network namespaces need root or user namespaces: \(String(cString: strerror(code)))")
            }
        }
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("failoverlab-bench-\(getpid())").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        // A namespace of our own, so that this is the namespace's figure and conntrack is there.
        let fewer = min(sessions, try ConntrackdPair.mostSessions())
        let contenders = SyncContender.all(sessions, fewer).filter { only.map($0.name.contains) ?? true }
        guard !contenders.isEmpty else { throw ValidationError("no measurement's name has '\(only ?? "")' in it.") }
        var figures = [[SyncFigures]](repeating: [], count: contenders.count)
        for repetition in 1...repetitions {
            for (number, contender) in contenders.enumerated() {
                BenchmarkProgress.show("round \(repetition) of \(repetitions): \(contender.name)")
                figures[number].append(try contender.measure(in: folder))
            }
        }
        BenchmarkProgress.show("")
        print(SyncTable(contenders: contenders, figures: figures).text)
    }
}

/// What is measured.
struct SyncContender {
    enum Way {
        case ours(key: String?)
        /// Live, with packets that come faster than the box takes them.
        case flooded(sharesRing: Bool)
        case conntrackd(ConntrackdPair.Place)
    }

    let name: String
    let way: Way
    let isLive: Bool
    let sessions: Int

    /// - Parameter fewer: what conntrackd's kernel can have
    static func all(_ sessions: Int, _ fewer: Int) -> [SyncContender] {
        var all: [SyncContender] = []
        for isLive in [false, true] {
            let what = isLive ? "live" : "bulk"
            all += [
                SyncContender(
                    name: "conntrackd, \(what), to its cache", way: .conntrackd(.cache), isLive: isLive, sessions: fewer
                ),
                SyncContender(
                    name: "conntrackd, \(what), to the kernel", way: .conntrackd(.kernel), isLive: isLive,
                    sessions: fewer),
            ]
            if fewer < sessions {
                all.append(
                    SyncContender(name: "failoverlab, \(what)", way: .ours(key: nil), isLive: isLive, sessions: fewer))
            }
            all += [
                SyncContender(name: "failoverlab, \(what)", way: .ours(key: nil), isLive: isLive, sessions: sessions),
                SyncContender(
                    name: "failoverlab, \(what), keyed", way: .ours(key: "a secret of the pair"), isLive: isLive,
                    sessions: sessions),
            ]
        }
        // What a flood does to the pair, and did while the pair's control channel shared the ring with it.
        for sharesRing in [false, true] {
            all.append(
                SyncContender(
                    name: "failoverlab, flooded" + (sharesRing ? ", one ring" : ""),
                    way: .flooded(sharesRing: sharesRing),
                    isLive: true, sessions: fewer))
        }
        return all
    }

    func measure(in folder: String) throws -> SyncFigures {
        switch way {
        case .ours(let key): return isLive ? try OurPair.live(sessions, key: key) : try OurPair.bulk(sessions, key: key)
        case .flooded(let sharesRing):
            return try OurPair.live(sessions, key: nil, floods: true, sharesRing: sharesRing)
        case .conntrackd(let place):
            let pair = try ConntrackdPair(in: folder, place: place)
            return isLive ? try pair.live(sessions) : try pair.bulk(sessions)
        }
    }
}
