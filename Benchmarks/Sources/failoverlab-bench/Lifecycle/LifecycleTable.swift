internal import LabTime
internal import Topology

/// What the measurements found, for people.
struct LifecycleTable {
    let networks: LifecycleComparison
    let labs: LifecycleComparison
    let catalogue: [CatalogueTiming]
    let repetitions: Int

    var text: String {
        var lines = ["Medians of \(repetitions) measurements, taken in turns (lowest … highest)."]
        lines += table(
            networks,
            note:
                "Everyone makes namespaces, links, addresses, and sets all up; failoverlab also turns offloads and IPv6 off."
        )
        lines += table(
            labs,
            note:
                "failoverlab starts every role, lets the pair elect and arms captures besides; the others build the bare network."
        )
        lines += [
            "",
            "'removed': the commands have returned; 'reclaimed': the kernel has taken back every namespace and link.",
        ]
        let runs = catalogue.sorted { $0.ratio < $1.ratio }
        if !runs.isEmpty {
            let middle = runs[runs.count / 2]
            lines += [
                "",
                "All \(middle.variants) variants beside each other: \(seconds(middle.wall)), the longest (\(middle.longest.name)) "
                    + "\(seconds(middle.longest.time)); the middle one of \(runs.count) runs",
            ]
        }
        lines += ["", pad("Target", 62) + "at most   measured"]
        lines.append(
            target("the network alone, to the script", 0.2, networks.own.built.ratio(to: networks.script.built)))
        lines.append(
            target("up with every role, to the script's bare network", 2, labs.own.built.ratio(to: labs.script.built)))
        lines.append(
            target(
                "down until reclaimed, to the script's removal until reclaimed", 1,
                labs.own.reclaimed.ratio(to: labs.script.reclaimed)))
        lines.append(
            target(
                "down until reclaimed, to the script's commands alone", 1,
                labs.own.reclaimed.ratio(to: labs.script.removed)))
        if !runs.isEmpty {
            lines.append(target("all variants, to the longest", 1.5, runs[runs.count / 2].ratio))
        }
        return lines.joined(separator: "\n")
    }

    private func table(_ comparison: LifecycleComparison, note: String) -> [String] {
        let plan = comparison.network.plan
        var lines = [
            "", "\(comparison.title): \(plan.namespaces.count) namespaces, \(plan.links.count) links. \(note)", "",
            pad("", 32)
                + ["built", "to script", "removed", "reclaimed", "to script"].map { right($0, column($0)) }.joined(),
        ]
        for contestant in comparison.order {
            guard let measured = comparison.measured[contestant] else { continue }
            lines.append(
                pad(contestant.name, 32) + right(words(measured.built), 24)
                    + right(fixed(measured.built.ratio(to: comparison.script.built)), 11)
                    + right(words(measured.removed), 24) + right(words(measured.reclaimed), 24)
                    + right(fixed(measured.reclaimed.ratio(to: comparison.script.reclaimed)), 11))
        }
        for (contestant, reason) in comparison.unavailable where comparison.measured[contestant] == nil {
            lines.append(pad(contestant.name, 32) + "not available: \(reason)")
        }
        return lines
    }

    private func column(_ heading: String) -> Int { heading == "to script" ? 11 : 24 }

    private func target(_ what: String, _ limit: Double, _ ratio: Double) -> String {
        pad(what, 62) + right(fixed(limit), 7) + right(fixed(ratio), 11) + (ratio <= limit ? "   met" : "   MISSED")
    }

    private func words(_ spread: Spread) -> String {
        "\(tenths(spread.median)) (\(whole(spread.lowest)) … \(whole(spread.highest))) ms"
    }

    private func whole(_ duration: Duration) -> String { "\(Int(duration.milliseconds.rounded()))" }
    private func tenths(_ duration: Duration) -> String {
        let value = Int((duration.milliseconds * 10).rounded())
        return "\(value / 10).\(value % 10)"
    }
    private func seconds(_ duration: Duration) -> String { "\(fixed(duration.milliseconds / 1000)) s" }

    private func fixed(_ value: Double) -> String {
        let hundredths = Int((value * 100).rounded())
        return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
    }

    private func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }
    private func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(1, width - text.count)) + text
    }
}
