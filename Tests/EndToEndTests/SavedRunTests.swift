import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// What `check` makes of runs that somebody changed, or that a full disk or a crash cut.
    @Suite struct SavedRuns {
        private static let variant = "source-translation"

        /// A short run of a shipped lab.
        private func run(in folder: TemporaryFolder) throws -> String {
            let result = try Lab.failoverlab(
                ["run", Package.root + "/Labs/load-balancer-hairpin", "--variant", Self.variant], in: folder)
            #expect(result.status == 0, "\(result.output)\n\(result.errors)")
            return "\(folder.path)/runs/load-balancer-hairpin/latest/\(Self.variant)"
        }

        /// Judges copies of a run, each with a damage of its own, all at once.
        /// - Returns: the verdict of each, in order
        private func verdicts(
            of original: String, damages: [Damage], in folder: TemporaryFolder, note: String = ""
        ) throws -> [String] {
            for (number, damage) in damages.enumerated() {
                let copy = "\(folder.path)/damaged/\(number + 1)/\(Self.variant)"
                try FileManager.default.createDirectory(
                    atPath: (copy as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
                try FileManager.default.copyItem(atPath: original, toPath: copy)
                try damage.carryOut(copy)
            }
            let result = try Lab.failoverlab(["check", "damaged", "--format", "json"], in: folder)
            // 128 and a signal: it crashed.
            #expect(result.status < 128, "\(note) \(result.errors.suffix(2000))")
            let verdict = try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any]
            let variants = try #require(verdict?["variants"] as? [[String: Any]], "\(note) \(result.errors)")
            var found = [String](repeating: "absent", count: damages.count)
            for variant in variants {
                guard let number = variant["repetition"] as? Int, let verdict = variant["verdict"] as? String else {
                    continue
                }
                found[number - 1] = verdict
            }
            return found
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"), .timeLimit(.minutes(2)))
        func `damage to any file of a saved run is noticed, and costs its own variant alone`() throws {
            let folder = try TemporaryFolder()
            let original = try run(in: folder)
            let captures = try FileManager.default.contentsOfDirectory(atPath: original + "/captures").sorted()
            #expect(captures.count == 6)
            var damages = [Damage("nothing") { _ in }]
            damages.append(Damage("the folder of captures is gone") { try remove("\($0)/captures") })
            for capture in captures {
                let path = "captures/\(capture)"
                damages += Damage.ofFile(path)
                for change in CaptureDamage.allCases {
                    damages.append(Damage("\(path): \(change)") { try change.carryOut(on: path, in: $0) })
                }
                let other = "captures/" + captures[(captures.firstIndex(of: capture)! + 1) % captures.count]
                damages.append(Damage("\(path) and \(other) are swapped") { try swap(path, other, in: $0) })
            }
            for file in ["events.jsonl", "traffic.json", "captures.json", "counters.json", "run.json", "lab.yaml"] {
                damages += Damage.ofFile(file)
            }
            let events = try String(contentsOfFile: original + "/events.jsonl", encoding: .utf8).split(separator: "\n")
            for count in events.indices {
                damages.append(
                    Damage("events.jsonl ends with line \(count)") {
                        try write(events.prefix(count).joined(separator: "\n") + "\n", to: "\($0)/events.jsonl")
                    })
            }
            let verdicts = try verdicts(of: original, damages: damages, in: folder)
            #expect(verdicts[0] == "pass")
            for (damage, verdict) in zip(damages, verdicts).dropFirst() {
                #expect(verdict == "inconclusive", "\(damage.what)")
            }
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"), .timeLimit(.minutes(2)))
        func `no damage to any field of a saved run crashes the evaluation or makes it wait`() throws {
            let folder = try TemporaryFolder()
            let original = try run(in: folder)
            let seed = UInt64.random(in: 0...UInt64.max)
            var generator = SeededGenerator(seed: seed)
            var damages: [Damage] = []
            for file in ["events.jsonl", "traffic.json", "captures.json", "counters.json", "run.json"] {
                let text = try String(contentsOfFile: "\(original)/\(file)", encoding: .utf8)
                let keys = Set(text.matches(of: /"([A-Za-z]+)":/).map { String($0.1) }).sorted()
                for key in keys { damages.append(.field(key, of: file, &generator)) }
                for _ in 0..<3 { damages.append(.bytes(of: file, &generator)) }
            }
            let captures = try FileManager.default.contentsOfDirectory(atPath: original + "/captures").sorted()
            for _ in 0..<30 {
                damages.append(.word(of: "captures/\(captures.randomElement(using: &generator)!)", &generator))
            }
            for _ in 0..<20 { damages.append(.bytes(of: "lab.yaml", &generator)) }
            // Without the digests of its files a run is read as one of an earlier version: nothing is refused early.
            let withoutDigests = damages.map { damage in
                Damage(damage.what + ", without digests") { copy in
                    try damage.carryOut(copy)
                    guard let bytes = FileManager.default.contents(atPath: copy + "/run.json") else { return }
                    // Damaged bytes may be no UTF-8.
                    let text = String(decoding: bytes, as: UTF8.self)
                    try write(text.replacing(/"files":\[[^\]]*\],/, with: ""), to: copy + "/run.json")
                }
            }
            let all = damages + withoutDigests
            let verdicts = try verdicts(of: original, damages: all, in: folder, note: "seed \(seed)")
            for (damage, verdict) in zip(all, verdicts) {
                #expect(verdict != "absent", "seed \(seed): \(damage.what)")
            }
            for (damage, verdict) in zip(damages, verdicts) where !damage.what.hasPrefix("run.json") {
                #expect(verdict == "inconclusive", "seed \(seed): \(damage.what)")
            }
        }

        @Test(arguments: [".", "./", "x", "/", "1", ""])
        func `a path of one character is no run's folder, and no crash`(path: String) throws {
            let folder = try TemporaryFolder()
            let result = try Lab.failoverlab(["check", path], in: folder)
            #expect(result.status == 2 || result.status == 64, "\(result.errors)")
        }

        @Test(.enabled(if: Host.canRunLabs, "this host cannot run labs"))
        func `a variant that is gone from a run's folder is reported, and the verdict names the examination`() throws {
            let folder = try TemporaryFolder()
            let path = try run(in: folder)
            let verdict = try Lab.verdict(of: "load-balancer-hairpin", in: folder)
            let variant = try #require((verdict["variants"] as? [[String: Any]])?.first)
            let integrity = try #require(variant["integrity"] as? [String: Any])
            #expect(integrity["verdict"] as? String == "pass")
            #expect(integrity["captures"] as? Int == 6)
            #expect((integrity["cables"] as? Int ?? 0) >= 3)
            let run = "runs/load-balancer-hairpin/latest"
            #expect(try Lab.failoverlab(["check", run], in: folder).output.contains("✔ integrity: "))
            try remove(path)
            let check = try Lab.failoverlab(["check", run], in: folder)
            #expect(check.status == 5 && check.output.contains("is gone"), "\(check.output)\(check.errors)")
        }
    }
}

// MARK: Damage

private func remove(_ path: String) throws { try FileManager.default.removeItem(atPath: path) }

private func write(_ text: String, to path: String) throws {
    try text.write(toFile: path, atomically: false, encoding: .utf8)
}

private func swap(_ a: String, _ b: String, in folder: String) throws {
    let files = FileManager.default
    try files.moveItem(atPath: "\(folder)/\(a)", toPath: "\(folder)/swapped")
    try files.moveItem(atPath: "\(folder)/\(b)", toPath: "\(folder)/\(a)")
    try files.moveItem(atPath: "\(folder)/swapped", toPath: "\(folder)/\(b)")
}

/// Something that becomes of a copy of a variant's folder.
private struct Damage {
    var what: String
    var carryOut: (String) throws -> Void

    init(_ what: String, _ carryOut: @escaping (String) throws -> Void) {
        self.what = what
        self.carryOut = carryOut
    }

    /// What a disk, a careless person and a malicious one do to a file as a whole.
    static func ofFile(_ path: String) -> [Damage] {
        [
            Damage("\(path) is gone") { try remove("\($0)/\(path)") },
            Damage("\(path) is empty") { try write("", to: "\($0)/\(path)") },
            Damage("\(path) is cut in the middle") { folder in
                let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(path)"))
                try bytes.prefix(bytes.count / 2).write(to: URL(fileURLWithPath: "\(folder)/\(path)"))
            },
            Damage("\(path) is a FIFO") { folder in
                try remove("\(folder)/\(path)")
                #expect(mkfifo("\(folder)/\(path)", 0o600) == 0)
            },
            Damage("\(path) leads to /dev/zero") { folder in
                try remove("\(folder)/\(path)")
                #expect(symlink("/dev/zero", "\(folder)/\(path)") == 0)
            },
            Damage("\(path) is a folder") { folder in
                try remove("\(folder)/\(path)")
                #expect(mkdir("\(folder)/\(path)", 0o700) == 0)
            },
        ]
    }

    private static let values = [
        "9223372036854775807", "-9223372036854775808", "18446744073709551615", "1e300", "-1", "0", "null", "true", "[]",
        "\"\"", "\"9999-12-31T23:59:59.999999999Z\"", "\"1678-01-01T00:00:00Z\"", "\"2261-12-31T23:59:59Z\"",
        "[9223372036854775807,18446744073709551615]", "\"../../../etc/passwd\"",
    ]

    /// One value of a JSON file becomes another.
    static func field(_ key: String, of file: String, _ generator: inout SeededGenerator) -> Damage {
        let value = values.randomElement(using: &generator)!
        let choice = generator.next()
        return Damage("\(file): \"\(key)\" is \(value)") { folder in
            var text = try String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8)
            let places = text.ranges(of: "\"\(key)\":")
            let place = places[Int(choice % UInt64(places.count))]
            // A list of two numbers is a duration.
            let old = text[place.upperBound...].prefixMatch(of: /(\[-?[0-9]+,[0-9]+\]|"[^"]*"|[^,}\]]*)/)
            let end = old?.range.upperBound ?? place.upperBound
            // The same value again would be no damage.
            text.replaceSubrange(place.upperBound..<end, with: text[place.upperBound..<end] == value ? "17" : value)
            try write(text, to: "\(folder)/\(file)")
        }
    }

    /// Bytes anywhere in a file are changed, doubled, or left out.
    static func bytes(of file: String, _ generator: inout SeededGenerator) -> Damage {
        let (place, kind, byte) = (generator.next(), generator.next() % 3, UInt8.random(in: 1...255, using: &generator))
        return Damage("\(file): byte \(place) \(["changed", "doubled", "left out"][Int(kind)])") { folder in
            let url = URL(fileURLWithPath: "\(folder)/\(file)")
            var bytes = Array(try Data(contentsOf: url))
            let index = Int(place % UInt64(bytes.count))
            switch kind {
            case 0: bytes[index] ^= byte
            case 1: bytes.insert(bytes[index], at: index)
            default: bytes.remove(at: index)
            }
            try Data(bytes).write(to: url)
        }
    }

    /// A word of a capture's header, or of a record's.
    static func word(of file: String, _ generator: inout SeededGenerator) -> Damage {
        let place = Int.random(in: 0..<10, using: &generator)
        let value = [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, UInt32.random(in: 0...UInt32.max, using: &generator)]
            .randomElement(using: &generator)!
        return Damage("\(file): word \(place) is \(value)") { folder in
            let url = URL(fileURLWithPath: "\(folder)/\(file)")
            var bytes = Array(try Data(contentsOf: url))
            let old = Array(bytes[(place * 4)..<(place * 4 + 4)])
            let new = withUnsafeBytes(of: value) { Array($0) }
            bytes.replaceSubrange((place * 4)..<(place * 4 + 4), with: old == new ? new.map { ~$0 } : new)
            try Data(bytes).write(to: url)
        }
    }
}

/// What becomes of the frames of a capture; `captures.json` is made to agree.
private enum CaptureDamage: String, CaseIterable {
    case everyFrameTwice, timesOfZero, microseconds, otherLinkType, laterBySeconds, laterByMilliseconds,
        lastFrameGone, middleFrameGone, bitFlipped, oneFrameMore

    func carryOut(on path: String, in folder: String) throws {
        let url = URL(fileURLWithPath: "\(folder)/\(path)")
        let bytes = Array(try Data(contentsOf: url))
        func word(_ offset: Int) -> UInt32 {
            bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self) }
        }
        func text(_ word: UInt32) -> [UInt8] { withUnsafeBytes(of: word) { Array($0) } }
        var header = Array(bytes[..<24])
        var frames: [(time: UInt64, rest: [UInt8])] = []
        var offset = 24
        while offset < bytes.count {
            let end = offset + 16 + Int(word(offset + 8))
            frames.append(
                (UInt64(word(offset)) * 1_000_000_000 + UInt64(word(offset + 4)), Array(bytes[(offset + 8)..<end])))
            offset = end
        }
        #expect(frames.count > 3)
        let before = frames.count
        let middle = frames.count / 2
        switch self {
        case .everyFrameTwice: frames = frames.flatMap { [$0, $0] }
        case .timesOfZero: for index in frames.indices { frames[index].time = 0 }
        case .microseconds: header.replaceSubrange(0..<4, with: text(0xa1b2_c3d4))
        case .otherLinkType: header.replaceSubrange(20..<24, with: text(101))
        case .laterBySeconds: for index in frames.indices { frames[index].time += 5_000_000_000 }
        case .laterByMilliseconds: for index in frames.indices { frames[index].time += 3_000_000 }
        case .lastFrameGone: frames.removeLast()
        case .middleFrameGone: frames.remove(at: middle)
        case .bitFlipped: frames[middle].rest[frames[middle].rest.count - 1] ^= 1
        case .oneFrameMore: frames.insert(frames[middle], at: middle)
        }
        let changed =
            header
            + frames.flatMap { frame in
                text(UInt32(frame.time / 1_000_000_000)) + text(UInt32(frame.time % 1_000_000_000)) + frame.rest
            }
        try Data(changed).write(to: url)
        let summaries = "\(folder)/captures.json"
        let old = try String(contentsOfFile: summaries, encoding: .utf8)
        let entries = old.components(separatedBy: "},{").map { entry in
            entry.contains("\"\(path)\"")
                ? entry.replacing("\"frames\":\(before),", with: "\"frames\":\(frames.count),") : entry
        }
        try write(entries.joined(separator: "},{"), to: summaries)
    }
}
