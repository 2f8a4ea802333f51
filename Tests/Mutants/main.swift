import Foundation
import Mutants

// Runs labs and tests on boxes that are broken on purpose; see scripts/mutants.

/// At once, also into a file.
func print(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

struct Options {
    var only: [String] = []
    var labs = true
    var tests = true
    /// Labs after the first that notices, too.
    var all = false
    /// Only what the declarations name.
    var declaredOnly = false
    var control = true
    var table: String?
    var isList = false

    init(_ arguments: [String]) throws {
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            switch argument {
            case "--only":
                guard let name = rest.popFirst() else { throw Trouble("--only takes the name of a mutant") }
                only += name.split(separator: ",").map(String.init)
            case "--labs-only": tests = false
            case "--tests-only": labs = false
            case "--all": all = true
            case "--declared-only": declaredOnly = true
            case "--no-control": control = false
            case "--table":
                guard let file = rest.popFirst() else { throw Trouble("--table takes a file") }
                table = file
            case "--list": isList = true
            default: throw Trouble("'\(argument)' is unknown")
            }
        }
        for name in only where Mutant(rawValue: name) == nil {
            throw Trouble("there is no mutant '\(name)'; --list shows all")
        }
    }
}

/// What became of one mutant.
struct Row {
    var mutant: Mutant
    /// Nil where no lab was asked.
    var labs: [String]?
    var test: String??

    var hasSurvived: Bool { labs?.isEmpty == true || test.map { $0 == nil } ?? false }

    static func cell(_ text: String) -> String {
        text.replacingOccurrences(of: "|", with: "\\|").replacingOccurrences(of: "\n", with: " ")
    }

    var markdown: String {
        let lab = labs.map { $0.isEmpty ? "SURVIVED" : $0.map(Self.cell).joined(separator: "<br>") } ?? "–"
        let test = test.map { $0.map(Self.cell) ?? "SURVIVED" } ?? "–"
        return "| `\(mutant.rawValue)` | \(Self.cell(mutant.declaration.sentence)) | \(lab) | \(test) |"
    }
}

struct Campaign {
    let options: Options
    let tools: Tools

    /// Nothing is broken: labs pass and tests, too.
    func control(_ mutants: [Mutant]) throws {
        if options.labs {
            let runs = Set(mutants.flatMap(\.declaration.labs)).map { LabRun(tools: tools, name: $0) }
            for (lab, runs) in Dictionary(grouping: runs, by: \.lab).sorted(by: { $0.key < $1.key }) {
                let variants = runs.flatMap(\.variants).sorted()
                switch try LabRun(tools: tools, lab: lab, variants: variants).outcome(with: nil) {
                case .passed: print("control  \(lab)  \(variants.joined(separator: " "))  pass")
                case .caught(let by, let seen): throw Trouble("without a mutant \(by) fails: \(seen)")
                case .timedOut(let place, let problem): throw Trouble("without a mutant \(place): \(problem)")
                case .undecided(let reason): throw Trouble("without a mutant \(reason)")
                }
            }
        }
        guard options.tests else { return }
        for target in Set(mutants.map(\.declaration.tests.target)).sorted() {
            if let failed = try TestRun(tools: tools, target: target, suites: nil).failure(with: nil) {
                throw Trouble("without a mutant \(target) fails: \(failed)")
            }
            print("control  \(target)  pass")
        }
    }

    func row(of mutant: Mutant) throws -> Row {
        var row = Row(mutant: mutant)
        if options.labs { row.labs = try labs(mutant) }
        if options.tests {
            let tests = mutant.declaration.tests
            var failed = try TestRun(tools: tools, target: tests.target, suites: tests.suites)
                .failure(with: mutant.rawValue)
            if failed == nil, tests.suites != nil {
                failed = try TestRun(tools: tools, target: tests.target, suites: nil).failure(with: mutant.rawValue)
            }
            row.test = .some(failed)
            print("\(mutant.rawValue)  test  \(failed ?? "SURVIVED")")
        }
        return row
    }

    private func labs(_ mutant: Mutant) throws -> [String] {
        let declared = mutant.declaration.labs
        let others = options.declaredOnly ? [] : tools.catalogue()
        var noticed: [String] = []
        for lab in declared + others {
            switch try LabRun(tools: tools, name: lab).outcome(with: mutant.rawValue) {
            case .caught(let by, let seen):
                print("\(mutant.rawValue)  lab  \(by)  (\(seen.prefix(160)))")
                noticed.append(by)
            case .timedOut(let place, let problem):
                print("\(mutant.rawValue)  lab  \(place): waited in vain  (\(problem.prefix(160)))")
                noticed.append("\(place): waited in vain")
            case .undecided(let reason): print("\(mutant.rawValue)  lab  \(lab) undecided  (\(reason.prefix(160)))")
            case .passed: print("\(mutant.rawValue)  lab  \(lab) passes")
            }
            if !options.all, !noticed.isEmpty { break }
        }
        if noticed.isEmpty { print("\(mutant.rawValue)  lab  SURVIVED") }
        return noticed
    }
}

func write(_ rows: [Row], to file: String?) throws {
    let head = ["| mutant | what is broken | noticed by lab | noticed by test |", "|---|---|---|---|"]
    let text = (head + rows.map(\.markdown)).joined(separator: "\n") + "\n"
    if let file { try text.write(toFile: file, atomically: true, encoding: .utf8) } else { print(text) }
}

do {
    let options = try Options(Array(CommandLine.arguments.dropFirst()))
    let tools = try Tools()
    let mutants = options.only.isEmpty ? Mutant.allCases : options.only.compactMap { Mutant(rawValue: $0) }
    if options.isList {
        for mutant in mutants {
            print("\(mutant.rawValue): \(mutant.declaration.sentence)")
            print("    \(tools.hooks(of: "\(mutant)").joined(separator: ", "))")
            print("    \(mutant.declaration.tests.target); \(mutant.declaration.labs.joined(separator: ", "))")
        }
        exit(0)
    }
    let campaign = Campaign(options: options, tools: tools)
    if options.control { try campaign.control(mutants) }
    var rows: [Row] = []
    for mutant in mutants {
        rows.append(try campaign.row(of: mutant))
        // What there is, should the rest be interrupted.
        if options.table != nil { try write(rows, to: options.table) }
    }
    try write(rows, to: nil)
    let survivors = rows.filter(\.hasSurvived)
    let noticed = rows.count - survivors.count
    print("\(rows.count) tried, \(noticed) noticed by all that were asked, \(survivors.count) survived")
    exit(survivors.isEmpty ? 0 : 1)
} catch let trouble as Trouble {
    FileHandle.standardError.write(Data("mutants: \(trouble)\n".utf8))
    exit(3)
} catch {
    FileHandle.standardError.write(Data("mutants: \(error)\n".utf8))
    exit(3)
}
