import LabTime

/// When the Active announces its addresses by gratuitous ARP: at once, and again in growing intervals.
struct Announcements {
    /// The next one; nil where no more follow.
    private(set) var dueAt: Instant?
    private var beganAt = Instant(nanoseconds: 0)
    private var count = 0

    /// - Parameter now: from which the times count
    mutating func begin(at now: Instant) {
        beganAt = now
        count = 0
    }

    /// The addresses were announced.
    /// - Parameter times: of all announcements, after the beginning
    mutating func proceed(through times: [Duration]) {
        count += 1
        dueAt = count < times.count ? beganAt + times[count] : nil
    }

    mutating func end() { dueAt = nil }
}
