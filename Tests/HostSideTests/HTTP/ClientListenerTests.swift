import CLinux
import EventLoop
import Foundation
import Glibc
import LabTime
import Synchronization
import Testing
import Wire

@testable import HostSide

@Suite struct `Accepting clients` {
    /// `CLONE_FILES` of unshare(2), which Swift does not see: a descriptor table of the thread's own.
    private static let ownDescriptors: Int32 = 0x400

    private struct Outcome {
        var turnsWithoutDescriptors = 0
        var acceptedWithoutDescriptors = 0
        var acceptedAfterBreather = 0
        var acceptedAtOnce = 0
        var wasPaused = false
        var port: UInt16 = 0
        var problem = ""
    }

    /// On a thread of its own with descriptors of its own, of which it uses up all that the process may have.
    @Test(.timeLimit(.minutes(1)))
    func `pauses where no descriptor is left, without spinning, and goes on when one is free`() async {
        let outcome = await withCheckedContinuation { continuation in
            let thread = Thread { continuation.resume(returning: Self.starve()) }
            thread.start()
        }
        #expect(outcome.problem == "")
        #expect(outcome.acceptedWithoutDescriptors == 0)
        // A pause, and now and then a look whether it is over.
        #expect(outcome.turnsWithoutDescriptors < 20)
        #expect(outcome.acceptedAfterBreather == 1)
        #expect(outcome.acceptedAtOnce == 1)
        #expect(outcome.wasPaused)
        let later = cl_tcp_socket(0)
        defer { close(later) }
        let refusal = IPAddress.ipv4(.loopback).withSocketAddress(port: outcome.port) {
            fcntl(later, F_SETFL, 0)
            return connect(later, $0, $1) == 0 ? 0 : errno
        }
        #expect(refusal == ECONNREFUSED)
    }

    private static func starve() -> Outcome {
        var outcome = Outcome()
        let code = cl_unshare(ownDescriptors)
        guard code == 0 else {
            outcome.problem = "unshare: \(code)"
            return outcome
        }
        var accepted: [Int32] = []
        do {
            let loop = try EventLoop()
            let listener = try ClientListener(at: .ipv4(.loopback), port: 0, on: loop) { descriptor, client, _ in
                if client == .ipv4(.loopback) { accepted.append(descriptor) }
            }
            for _ in 0..<3 {
                let client = cl_tcp_socket(0)
                _ = IPAddress.ipv4(.loopback).withSocketAddress(port: listener.port) { connect(client, $0, $1) }
            }
            var fillers: [Int32] = []
            while case let filler = dup(0), filler >= 0 { fillers.append(filler) }
            guard errno == EMFILE, fillers.count > 2 else {
                outcome.problem = "dup: \(errno)"
                return outcome
            }
            let end = loop.now + ClientListener.breather * 5
            loop.schedule(at: end) {}
            while loop.now < end {
                loop.turn(block: true)
                outcome.turnsWithoutDescriptors += 1
            }
            outcome.acceptedWithoutDescriptors = accepted.count

            // By itself it looks again after a while; there is room for one, and two more wait.
            close(fillers.removeLast())
            while accepted.isEmpty { loop.turn(block: true) }
            for _ in 0..<3 { loop.turn(block: false) }
            outcome.acceptedAfterBreather = accepted.count

            // Told of a free one, it does not wait.
            close(fillers.removeLast())
            listener.mayGoOn()
            loop.turn(block: false)
            outcome.acceptedAtOnce = accepted.count - outcome.acceptedAfterBreather
            // Paused again, and the loop ends: nobody listens any more.
            for _ in 0..<3 where !listener.isPaused { loop.turn(block: false) }
            outcome.wasPaused = listener.isPaused
            loop.end()
            listener.mayGoOn()
            outcome.port = listener.port
        } catch {
            outcome.problem = "\(error)"
        }
        return outcome
    }
}
