internal import Evidence
internal import LabTime
internal import Wire

/// Compares what enters a box with what leaves it, by the bytes that forwarding and translation do not change.
struct BoxFindings {
    let stations: LabStations
    let captures: [LabStations.Point: ExaminedCapture]
    /// Of each frame at a node's interface: whether the node sent it.
    let directions: [LabStations.Point: [Bool?]]
    let play: ClosedRange<Timestamp>?

    var findings: [IntegrityFinding] { stations.boxes.flatMap(findings) }

    private func findings(of box: LabStations.Box) -> [IntegrityFinding] {
        let points = box.points
        var entered: Set<UInt64> = []
        var left: Set<UInt64> = []
        for point in points {
            // All interfaces, or the comparison is incomplete.
            guard let capture = captures[point], capture.isComparable, let directions = directions[point] else {
                return []
            }
            for (sample, isSent) in zip(capture.samples, directions) where sample.identity != 0 {
                // A frame without a match at the other end may be either.
                if isSent != true { entered.insert(sample.identity) }
                if isSent != false { left.insert(sample.identity) }
            }
        }
        var findings: [IntegrityFinding] = []
        var (vanished, first) = (Set<UInt64>(), (file: "", frame: 0))
        for point in points {
            guard let capture = captures[point], let directions = directions[point] else { continue }
            var invented: [Int] = []
            for (number, sample) in capture.samples.enumerated() where sample.identity != 0 {
                let source = IPv4Address(rawValue: UInt32(truncatingIfNeeded: sample.addresses >> 32))
                let target = IPv4Address(rawValue: UInt32(truncatingIfNeeded: sample.addresses))
                if directions[number] == true {
                    if !entered.contains(sample.identity), stations.hosts.contains(source) { invented.append(number) }
                } else if directions[number] == false, box.dropped != nil, !left.contains(sample.identity),
                    box.forwardsAnyAddress || box.addresses.contains(MACAddress(packed: sample.destination)),
                    stations.hosts.contains(target),
                    isInPlay(sample.time)
                {
                    if vanished.isEmpty { first = (capture.summary.path, number + 1) }
                    vanished.insert(sample.identity)
                }
            }
            if let number = invented.first {
                findings.append(
                    IntegrityFinding(
                        .invented, "\(box.name) sent this packet of another station, but never received it",
                        file: capture.summary.path, frame: number + 1, count: invented.count))
            }
        }
        if let dropped = box.dropped, UInt64(vanished.count) > dropped {
            findings.append(
                IntegrityFinding(
                    .vanished,
                    "\(vanished.count) packets that entered \(box.name) never left it, but it counted only \(dropped) frames as dropped",
                    file: first.file, frame: first.frame, count: vanished.count))
        }
        return findings
    }

    private func isInPlay(_ time: Int64) -> Bool { play?.contains(Timestamp(nanoseconds: time)) ?? false }
}
