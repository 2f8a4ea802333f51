package import LabTime

/// All requests of one client's connection to an HTTP service, one after the other: each is passed to a member and its
/// answer passed back, so that answers to pipelined requests come in their order.
///
/// Nothing is read from the client that could not be passed on: behind what one read brings of a further request, the
/// rest waits in the kernel, and so does a body whose member takes no more. A client that does not take its answers is
/// not read, nor is its member.
///
/// Pure: bytes, ends, results of connecting and time come in by `step`; bytes, connects, closes and entries of the
/// access log go out by the calls of `ExchangeEndpoints`; `deadline` is the timer. docs/internals/http-exchange.md has
/// the phases.
package struct Exchange: ~Copyable {
    let service: ExchangeService
    /// The client's address, as X-Forwarded-For has it.
    let client: String
    private(set) var phase = Phase.idle
    /// When `step` wants the time next; nil for never.
    package internal(set) var deadline: Instant?
    /// The client has ended its direction.
    package internal(set) var clientHasEnded = false
    var clientInput = PendingInput()
    var memberInput = PendingInput()
    /// The present request, or the last one.
    var request: RequestInProgress

    package init(_ service: ExchangeService, client: String, at now: Instant) {
        self.service = service
        self.client = client
        request = RequestInProgress(began: now)
        setDeadline(in: service.timeouts.clientHeader, at: now)
    }

    // MARK: Inputs

    /// Handles one input.
    ///
    /// Each phase lists every input, those that it ignores too.
    /// - Returns: whether `.next` is to follow at once
    @discardableResult
    package mutating func step(_ input: Input, at now: Instant, over endpoints: some ExchangeEndpoints) -> Progress {
        if case .time = input {
            guard let deadline, deadline <= now else { return .waits }
            // Of a client that takes little at a time the kernel reports nothing.
            if endpoints.clientIsBlocked, endpoints.clientHasTakenSome() {
                setDeadline(in: service.timeouts.clientBody, at: now)
                return .waits
            }
        }
        // What an input brought stays where it was read until here.
        defer {
            clientInput.keep()
            memberInput.keep()
        }
        switch phase {
        case .idle: return stepIdle(input, at: now, over: endpoints)
        case .head: return stepHead(input, at: now, over: endpoints)
        case .connecting(let outgoing): return stepConnecting(input, outgoing, at: now, over: endpoints)
        case .exchanging(let outgoing, let answer):
            return stepExchanging(input, outgoing, answer, at: now, over: endpoints)
        case .closing(let closing): return stepClosing(input, closing, at: now, over: endpoints)
        case .closed: return .waits
        }
    }

    // MARK: What it waits for

    /// Between two requests.
    package var isIdle: Bool { if case .idle = phase { true } else { false } }

    /// A member is connected to, or answers.
    package var isAsking: Bool {
        switch phase {
        case .connecting, .exchanging: true
        case .idle, .head, .closing, .closed: false
        }
    }

    /// What the client still sends is not looked at.
    package var isClosing: Bool {
        switch phase {
        case .closing, .closed: true
        case .idle, .head, .connecting, .exchanging: false
        }
    }

    /// Whether the client is to be read.
    package func wantsClientBytes(over endpoints: some ExchangeEndpoints) -> Bool {
        switch phase {
        case .idle, .head: !endpoints.clientIsBlocked
        // A client that waits for its answer is not read: an event reports its reset in any case.
        case .connecting, .closed: false
        // Where a part of a chunk's framing is here already, the rest of it is what is wanted.
        case .exchanging(let outgoing, _): !outgoing.body.isComplete && !endpoints.memberIsBlocked
        case .closing: true
        }
    }

    /// Whether the member is to be read.
    package func wantsMemberBytes(over endpoints: some ExchangeEndpoints) -> Bool {
        switch phase {
        case .exchanging: !endpoints.clientIsBlocked
        case .idle, .head, .connecting, .closing, .closed: false
        }
    }

    // MARK: Phases and time

    mutating func enter(_ next: Phase) { phase = next }

    /// - Parameter nanoseconds: from now; to add a `Duration` costs a division
    mutating func setDeadline(in nanoseconds: Int64, at now: Instant) {
        deadline = Instant(nanoseconds: now.nanoseconds &+ nanoseconds)
    }
}
