public import Expectation

/// What an examination of a variant's whole evidence found, whatever the lab expects: whether the files are what the run
/// wrote, and whether the frames are what a network without a broken box carries.
public struct IntegrityReport: Hashable, Sendable, Codable {
    public var verdict: ExpectationVerdict
    /// Captures that were read from their first frame to their last.
    public var captures: Int
    public var frames: Int
    /// Cables of which both ends were compared.
    public var cables: Int
    public var findings: [IntegrityFinding]
    /// What could not be examined, and why.
    public var unexamined: [String]

    /// Damage leaves the variant in doubt, whatever else was found: broken evidence proves no broken box.
    public init(
        captures: Int = 0, frames: Int = 0, cables: Int = 0, findings: [IntegrityFinding] = [],
        unexamined: [String] = []
    ) {
        self.captures = captures
        self.frames = frames
        self.cables = cables
        self.findings = findings
        self.unexamined = unexamined
        let isDamaged = findings.contains { $0.kind.isDamage }
        verdict = findings.isEmpty ? .pass : isDamaged ? .inconclusive : .fail
    }
}

/// Something in the evidence that should not be there, or is missing.
public struct IntegrityFinding: Hashable, Sendable, Codable {
    public enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
        // Damage to the evidence.
        /// A file is gone.
        case missingFile = "missing-file"
        /// A file is not what the run wrote: its length or its digest differs, or a part of it cannot be read.
        case changedFile = "changed-file"
        /// A capture has another number of frames than the run recorded.
        case frameCount = "frame-count"
        /// `--capture-limit` left frames out.
        case captureLimit = "capture-limit"
        /// A frame or an event lies outside the run's time, or times run backwards.
        case time
        /// The captures at both ends of a cable differ.
        case cable
        /// The captures at both ends of a cable have different clocks.
        case clock
        // What no box may do.
        /// A frame with a wrong checksum.
        case checksum
        /// The same packet twice.
        case doubled
        /// A frame of a station that the lab does not have.
        case stranger
        /// A packet that left a box and never entered it.
        case invented
        /// Packets that entered a box, never left it, and were not counted as dropped.
        case vanished

        public var isDamage: Bool {
            switch self {
            case .missingFile, .changedFile, .frameCount, .captureLimit, .time, .cable, .clock: true
            case .checksum, .doubled, .stranger, .invented, .vanished: false
            }
        }
    }

    public var kind: Kind
    /// One sentence without its full stop.
    public var what: String
    /// Relative to the variant's folder.
    public var file: String?
    /// Of a capture, from 1; the first where there are several.
    public var frame: Int?
    /// How often.
    public var count: Int

    public init(_ kind: Kind, _ what: String, file: String? = nil, frame: Int? = nil, count: Int = 1) {
        self.kind = kind
        self.what = what
        self.file = file
        self.frame = frame
        self.count = count
    }
}
