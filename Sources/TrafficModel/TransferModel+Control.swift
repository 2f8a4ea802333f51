internal import LabTime
internal import Measurement

/// The control connection: the client's commands and the server's replies.
extension TransferModel {
    mutating func send(_ line: String, _ transport: inout some TransferTransport, _ step: inout Step) {
        output += Array("\(line)\r\n".utf8)
        flush(&transport, &step)
    }

    mutating func flush(_ transport: inout some TransferTransport, _ step: inout Step) {
        guard !output.isEmpty else { return }
        switch output.withUnsafeBytes({ transport.send($0) }) {
        case .bytes(let count): output.removeFirst(count)
        case .wouldBlock, .endOfStream: break
        case .failed(let ending): end(ending, &step)
        }
    }

    /// Replies that are waiting at once; a server that sends more does not answer this client.
    private static var mostReplies: Int { 1000 }

    mutating func readControl(_ transport: inout some TransferTransport, _ step: inout Step) {
        var replies: [FTPReply] = []
        let outcome = transport.receive { bytes in
            lines.consume(bytes) { line in if let reply = FTPReply(line) { replies.append(reply) } }
            return replies.count < Self.mostReplies && !replies.contains { $0.code >= 400 }
        }
        if replies.count >= Self.mostReplies {
            return end(
                FlowEnding(outcome: .refused, reason: "the server sent \(replies.count) replies at once"), &step)
        }
        for reply in replies where !hasEnded { take(reply, &transport, &step) }
        switch outcome {
        case .endOfStream: end(.closedByPeer, &step)
        case .failed(let ending): end(ending, &step)
        case .bytes, .wouldBlock: break
        }
    }

    mutating func take(_ reply: FTPReply, _ transport: inout some TransferTransport, _ step: inout Step) {
        guard reply.code < 400 else {
            return end(
                FlowEnding(outcome: .refused, reason: "the server said: \(reply.code) \(reply.text)"), &step)
        }
        switch (phase, reply.code) {
        case (.loggingIn, 220): send("USER anonymous", &transport, &step)
        case (.loggingIn, 331): send("PASS lab@", &transport, &step)
        case (.loggingIn, 230): send("TYPE I", &transport, &step)
        case (.loggingIn, 200):
            // The program is at work: when its files come is a matter of `data-after`, too.
            step.events.append(.firstAnswer)
            beIdle(from: step.now + offset, &step)
        case (.agreeing(let progress), 200) where transfer.mode.isActive: agreed(progress, nil, &step)
        case (.agreeing(let progress), 227): agreed(progress, DataEndpointText.classic(reply.text), &step)
        case (.agreeing(let progress), 229):
            let port = DataEndpointText.port(reply.text)
            agreed(
                progress, port.flatMap { port in transport.peer.map { Endpoint(address: $0.address, port: port) } },
                &step)
        case (.opening, 226), (.transferring, 226):
            phase.progress?.serverIsDone = true
            completeIfDone(&step)
        default: break
        }
    }
}
