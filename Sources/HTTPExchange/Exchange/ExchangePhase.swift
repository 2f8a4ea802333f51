extension Exchange {
    /// Where a client's connection stands, with what has a meaning only there.
    ///
    /// | phase | left when |
    /// |---|---|
    /// | `idle` | the first byte of a request is here; the client ends, or sends nothing in time |
    /// | `head` | the head is complete, or refused; its time is over |
    /// | `connecting` | a member has accepted; none can be connected to; the client has gone |
    /// | `exchanging` | the answer is complete; one side fails; a time is over |
    /// | `closing` | the client has closed too, or does not in time |
    /// | `closed` | never |
    enum Phase {
        /// Between two requests.
        case idle
        /// Part of a head is there.
        case head(HeadReading)
        /// A connection to a member is being opened.
        case connecting(Outgoing)
        /// The member has the head: the request's body and the answer are passed on, each as it comes.
        case exchanging(Outgoing, Answer)
        /// The last answer is written; what still comes is not looked at.
        case closing(Closing)
        case closed
    }

    /// A head, as far as it has come.
    struct HeadReading {
        var scanner = HeadScanner()
        /// Empty lines before it, that were passed over.
        var emptyLines = 0
    }

    /// A request that is passed on.
    struct Outgoing {
        var body: BodyDecoder
        let hasBody: Bool
        let isChunked: Bool
        /// HTTP/1.1 or later: knows chunked bodies and interim answers.
        let isModern: Bool
        let isHEAD: Bool
        let isIdempotent: Bool
        /// Whether the client may send another request on its connection.
        var keepsClient: Bool
        /// A member had closed the idle connection on which it was sent first.
        var hasTriedAgain = false
        /// The member's connection has carried a request before.
        var isReused = false
    }

    /// The answer, as far as it has come.
    enum Answer {
        case awaited(AnswerHead)
        /// Its head is with the client.
        case body(AnswerBody)
    }

    struct AnswerHead {
        var scanner = HeadScanner()
        /// 1xx answers so far.
        var interim = 0
        /// The member has sent something.
        var hasBytes = false
    }

    struct AnswerBody {
        var decoder: BodyDecoder
        /// How it is delimited towards the client.
        let framing: AnswerFraming
        /// Whether the member keeps its connection open.
        let keepsMember: Bool
    }

    enum Closing {
        /// The kernel has not taken all of the last answer.
        case draining
        /// The own direction is ended; a reset would take the answer from a client that still sends: RFC 9112, 9.6.
        case lingering
    }
}

extension Exchange.Answer {
    /// Whether its head is with the client.
    var hasBegun: Bool {
        switch self {
        case .awaited: false
        case .body: true
        }
    }

    /// Whether the member has sent something.
    var hasBytes: Bool {
        switch self {
        case .awaited(let head): head.hasBytes
        case .body: true
        }
    }
}
