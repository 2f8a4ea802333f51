internal import LabTime
internal import Measurement

/// One file after the other.
extension TransferModel {
    mutating func beIdle(from instant: Instant, _ step: inout Step) {
        phase = .idle(until: finishesWhenIdle ? step.now : max(instant, step.now))
        if finishesWhenIdle, meter.newest != nil { end(.survived, &step) }
    }

    mutating func begin(_ transport: inout some TransferTransport, _ step: inout Step) {
        phase = .agreeing(Progress(began: step.now, probe: meter.ask(at: step.now)))
        nextLook = meter.timesOutAt ?? step.now
        switch transfer.mode {
        case .passive: send("PASV", &transport, &step)
        case .extendedPassive: send("EPSV", &transport, &step)
        case .active, .extendedActive: announce(&transport, &step)
        }
    }

    mutating func announce(_ transport: inout some TransferTransport, _ step: inout Step) {
        switch transport.listenForData() {
        case .failed(let ending): end(ending, &step)
        case .listening(var endpoint):
            endpoint.address = transfer.announced ?? endpoint.address
            if transfer.mode == .extendedActive {
                send("EPRT \(DataEndpointText.extended(endpoint))", &transport, &step)
            } else {
                send("PORT \(DataEndpointText.classic(endpoint) ?? "")", &transport, &step)
            }
        }
    }

    mutating func agreed(_ progress: Progress, _ target: Endpoint?, _ step: inout Step) {
        guard transfer.mode.isActive || target != nil else {
            return end(FlowEnding(outcome: .refused, reason: "the server's announcement cannot be read"), &step)
        }
        phase = .agreed(progress, target, opensAt: step.now + transfer.dataAfter)
    }

    mutating func openData(
        _ progress: Progress, _ target: Endpoint?, _ transport: inout some TransferTransport, _ step: inout Step
    ) {
        phase = .opening(progress)
        guard !transfer.mode.isActive else { return send("RETR \(transfer.bytes)", &transport, &step) }
        guard let target else { return }
        if let ending = transport.connectData(to: target) { end(ending, &step) }
    }

    mutating func readData(
        _ progress: Progress, _ transport: inout some TransferTransport, _ step: inout Step
    ) {
        let bytes = transfer.bytes
        var (received, wrong) = (progress.received, 0)
        let outcome = transport.receiveData { chunk in
            for byte in chunk {
                if received >= bytes || byte != FileTransfer.byte(at: received) { wrong += 1 }
                received += 1
            }
            return true
        }
        phase.progress?.received = received
        garbage += wrong
        switch outcome {
        case .endOfStream: endOfFile(received, &transport, &step)
        case .failed(let ending): end(ending, &step)
        case .bytes, .wouldBlock: break
        }
    }

    mutating func endOfFile(
        _ received: Int, _ transport: inout some TransferTransport, _ step: inout Step
    ) {
        guard received == transfer.bytes else {
            let reason = "the data connection was closed after \(received) of \(transfer.bytes) bytes"
            return end(FlowEnding(outcome: .reset, reason: reason), &step)
        }
        phase.progress?.fileIsWhole = true
        transport.closeData()
        completeIfDone(&step)
    }

    mutating func completeIfDone(_ step: inout Step) {
        guard let progress = phase.progress, progress.fileIsWhole, progress.serverIsDone else { return }
        meter.answered(progress.probe, at: step.now)
        beIdle(from: progress.began + program.every, &step)
    }
}
