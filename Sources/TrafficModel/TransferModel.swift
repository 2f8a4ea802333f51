package import LabTime
package import Measurement

/// An FTP control connection with one file after the other, each over a data connection of its own (`ftp`).
///
/// A transfer is one probe: it is asked when the client asks for, or announces, a data connection, and answered when
/// the whole file is there and the server has confirmed it. It has `data-after` and the application's timeout for that.
/// The next one begins `every` after it began, or when it is over.
/// Source: RFC 959; RFC 2428
package struct TransferModel: Hashable, Sendable {
    enum Phase: Hashable, Sendable {
        case connecting
        case loggingIn
        case idle(until: Instant)
        /// PASV, EPSV, PORT or EPRT was sent.
        case agreeing(Progress)
        /// The data connection is agreed upon and begins after a while: to the server's endpoint, or from it.
        case agreed(Progress, Endpoint?, opensAt: Instant)
        case opening(Progress)
        case transferring(Progress)
        case ended

        /// What a timeout waited for.
        var awaited: String {
            switch self {
            case .connecting: "connection"
            case .loggingIn: "reply to the login"
            case .idle: "transfer"
            case .agreeing: "reply to the announcement"
            case .agreed: "agreed"
            case .opening: "data connection"
            case .transferring: "end of the file"
            case .ended: "ended"
            }
        }

        /// The file on its way; nil between two. Setting it leaves the phase.
        var progress: Progress? {
            get {
                switch self {
                case .agreeing(let progress), .agreed(let progress, _, _), .opening(let progress),
                    .transferring(let progress):
                    progress
                case .connecting, .loggingIn, .idle, .ended: nil
                }
            }
            set {
                guard let newValue else { return }
                switch self {
                case .agreeing: self = .agreeing(newValue)
                case .agreed(_, let target, let instant): self = .agreed(newValue, target, opensAt: instant)
                case .opening: self = .opening(newValue)
                case .transferring: self = .transferring(newValue)
                case .connecting, .loggingIn, .idle, .ended: return
                }
            }
        }
    }

    /// One file on its way.
    struct Progress: Hashable, Sendable {
        var began: Instant
        var probe: UInt64
        var received = 0
        var fileIsWhole = false
        var serverIsDone = false
    }

    let program: TrafficProgram
    /// After the login, before the first transfer: flows of one program do not all begin at the same moment.
    let offset: Duration
    let started: Instant
    var phase = Phase.connecting
    var finishesWhenIdle = false
    var lines = ControlLines()
    var output: [UInt8] = []
    var garbage = 0
    var meter: FlowMeter
    /// When it looks whether it has timed out: moves on to where the timeout really ends by then.
    var nextLook: Instant

    package init(_ program: TrafficProgram, offset: Duration, at now: Instant) {
        self.program = program
        self.offset = offset
        started = now
        nextLook = now + program.timeout
        let dataAfter = (program.transfer ?? FileTransfer()).dataAfter
        meter = FlowMeter(cadence: program.every, timeout: program.timeout + dataAfter)
    }

    var transfer: FileTransfer { program.transfer ?? FileTransfer() }

    package var deadline: Instant? {
        switch phase {
        case .idle(let instant), .agreed(_, _, let instant): min(instant, nextLook)
        case .connecting, .loggingIn, .agreeing, .opening, .transferring: nextLook
        case .ended: nil
        }
    }

    package var wantsToSend: Bool { !output.isEmpty }

    var hasEnded: Bool { phase == .ended }

    package mutating func step(
        _ input: TransferInput, at now: Instant, over transport: inout some TransferTransport
    ) -> [FlowEvent] {
        var step = Step(now: now)
        switch (phase, input) {
        case (.ended, _): break
        case (_, .control(.failed(let ending))): end(ending, &step)
        case (.connecting, .control(.connected)): phase = .loggingIn
        case (.connecting, .control(.writable)), (.connecting, .control(.readable)), (_, .control(.connected)): break
        case (_, .control(.writable)): flush(&transport, &step)
        case (_, .control(.readable)): readControl(&transport, &step)
        case (_, .control(.time)): timePassed(&transport, &step)
        case (_, .control(.finish)): finish(now)
        case (.opening(let progress), .dataConnected):
            guard !transfer.mode.isActive else { break }
            phase = .transferring(progress)
            send("RETR \(transfer.bytes)", &transport, &step)
        case (.opening(let progress), .dataAccepted): phase = .transferring(progress)
        case (_, .dataConnected), (_, .dataAccepted): break
        case (_, .dataFailed(let ending)): end(ending, &step)
        case (.connecting, .dataReadable), (.loggingIn, .dataReadable), (.idle, .dataReadable): break
        case (.agreeing(let progress), .dataReadable), (.agreed(let progress, _, _), .dataReadable),
            (.opening(let progress), .dataReadable), (.transferring(let progress), .dataReadable):
            readData(progress, &transport, &step)
        }
        return step.events
    }

    /// What one call gathers.
    struct Step {
        let now: Instant
        var events: [FlowEvent] = []
    }

    mutating func end(_ ending: FlowEnding, _ step: inout Step) {
        guard !hasEnded else { return }
        phase = .ended
        step.events.append(.ended(ending))
    }

    // MARK: Ending

    mutating func finish(_ now: Instant) {
        guard !finishesWhenIdle else { return }
        finishesWhenIdle = true
        if case .idle = phase { phase = .idle(until: now) }
    }

    mutating func timePassed(_ transport: inout some TransferTransport, _ step: inout Step) {
        switch phase {
        // A flow that is to finish before its first transfer makes one, so that it has an outcome.
        case .idle(let instant) where instant <= step.now:
            if finishesWhenIdle, meter.newest != nil { end(.survived, &step) } else { begin(&transport, &step) }
        case .agreed(let progress, let target, let instant) where instant <= step.now:
            openData(progress, target, &transport, &step)
        default: break
        }
        guard !hasEnded, nextLook <= step.now else { return }
        // What is here already counts, although a busy machine has not let this process read it.
        if phase != .connecting { readControl(&transport, &step) }
        if case .transferring(let progress) = phase { readData(progress, &transport, &step) }
        let isOver =
            phase == .connecting || phase == .loggingIn
            ? step.now >= started + program.timeout : meter.hasTimedOut(at: step.now)
        if isOver { return end(.timedOut(program, waitingFor: phase.awaited), &step) }
        nextLook = meter.timesOutAt ?? step.now + program.timeout
    }

    package func figures(at end: Instant, _ ending: FlowEnding) -> FlowFigures {
        FlowFigures(started: started, reading: meter.reading(endedAt: end, outcome: ending.outcome), garbage: garbage)
    }
}
