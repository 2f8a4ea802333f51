internal import Evidence
internal import Wire

/// Properties of every captured frame: valid checksums, and stations of the lab.
struct FrameFindings {
    let stations: LabStations

    func findings(_ captures: [ExaminedCapture]) -> [IntegrityFinding] {
        captures.flatMap { capture in
            (stations.mayCorrupt ? [] : checksums(capture)) + strangers(capture)
        }
    }

    private func finding(
        _ kind: IntegrityFinding.Kind, _ what: String, _ numbers: [Int], in capture: ExaminedCapture
    ) -> [IntegrityFinding] {
        guard let first = numbers.first else { return [] }
        return [IntegrityFinding(kind, what, file: capture.summary.path, frame: first + 1, count: numbers.count)]
    }

    private func checksums(_ capture: ExaminedCapture) -> [IntegrityFinding] {
        let samples = capture.samples
        let bad = samples.indices.filter { samples[$0].hasBadChecksum && samples[$0].isWhole }
        return finding(.checksum, "a checksum is wrong", bad, in: capture)
    }

    private func strangers(_ capture: ExaminedCapture) -> [IntegrityFinding] {
        guard let known = stations.addresses else { return [] }
        let samples = capture.samples
        let addresses = Set(known.map(\.packed))
        let strange = samples.indices.filter { number in
            let sample = samples[number]
            return !addresses.contains(sample.source) || sample.arpSender.map { !addresses.contains($0) } ?? false
        }
        let who = strange.first.map { number in
            let sample = samples[number]
            let address = addresses.contains(sample.source) ? sample.arpSender ?? 0 : sample.source
            return "no station of the lab has \(MACAddress(packed: address))"
        }
        return finding(.stranger, who ?? "", strange, in: capture)
    }
}
