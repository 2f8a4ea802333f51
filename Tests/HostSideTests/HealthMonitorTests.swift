import Configuration
import Synchronization
import Testing

@testable import HostSide

@Suite struct `Health monitor` {
    private func monitor(
        _ kind: MonitorConfiguration.Kind, timeout: Duration = .seconds(20), fall: Int = 2, rise: Int = 2
    ) -> MonitorConfiguration {
        MonitorConfiguration(
            kind: kind, path: "/health", interval: .milliseconds(5), timeout: timeout, fall: fall, rise: rise)
    }

    @Test func `a member's state changes after as many contrary answers in a row as were asked for`() {
        var health = MemberHealth(monitor(.tcp, fall: 3, rise: 2))
        func note(_ answers: [Bool]) -> [Bool] { answers.map { health.note(success: $0) } }
        #expect(health.isUp)
        #expect(note([false, false, true, false, false]) == [false, false, false, false, false])
        #expect(health.isUp)
        #expect(note([false]) == [true])
        #expect(!health.isUp)
        #expect(note([true, false, true]) == [false, false, false])
        #expect(note([true]) == [true])
        #expect(health.isUp)
    }

    @Test func `a monitor that asks for no answers in a row is content with one`() {
        var health = MemberHealth(monitor(.tcp, fall: 0, rise: -1))
        let answers = [false, true].map { health.note(success: $0) }
        #expect(answers == [true, true])
    }

    @Test func `a TCP monitor sees a member leave and come back, and the proxy follows`() async throws {
        let spare = try await TestBackend { Greeter("spare") }
        var backend = try await TestBackend { Greeter("first") }
        let memberPort = backend.port
        let (changes, reports) = AsyncStream.makeStream(of: MemberChange.self)
        let host = HostSide(loadBalancer([memberPort, spare.port], monitor: monitor(.tcp))) { reports.yield($0) }
        defer { host.stop() }
        try host.start()
        host.startMonitors()
        let port = try #require(host.port(of: "web"))
        var next = changes.makeAsyncIterator()

        try await backend.close()
        let down = await next.next()
        #expect(
            down == MemberChange(service: "web", member: "backend-1", isUp: false, reason: "connection refused"))
        for _ in 0..<3 {
            let answer = try await TestClient.exchange(port, sending: "")
            #expect(answer.text == "spare")
        }

        backend = try await TestBackend(port: memberPort) { Greeter("first") }
        let up = await next.next()
        #expect(up == MemberChange(service: "web", member: "backend-1", isUp: true, reason: "connection accepted"))
        var served: Set<String> = []
        for _ in 0..<2 { served.insert(try await TestClient.exchange(port, sending: "").text) }
        #expect(served == ["first", "spare"])
        try await backend.close()
        try await spare.close()
    }

    @Test func `no member is asked before the monitors start, and the first round ends with an answer of each`()
        async throws
    {
        let questions = Count()
        let slow = try await TestBackend { Witness(onActive: { _ in questions.add() }, onEnd: { _ in }) }
        let quick = try await TestBackend { StatusServer { "200 OK" } }
        let configuration = loadBalancer(
            [slow.port, quick.port], profile: .tcpFastPath,
            monitor: monitor(.http, timeout: .milliseconds(200), fall: 9))
        let (changes, reports) = AsyncStream.makeStream(of: MemberChange.self)
        let host = HostSide(configuration) { reports.yield($0) }
        defer { host.stop() }
        try host.start()
        #expect(questions.value == 0)
        // Read on the monitors' own thread: by the time that this one runs, a second round may have begun.
        let asked = await withCheckedContinuation { continuation in
            host.startMonitors { continuation.resume(returning: questions.value) }
        }
        #expect(asked == 1)
        host.stop()
        reports.finish()
        var reported: [MemberChange] = []
        for await change in changes { reported.append(change) }
        #expect(reported.isEmpty)
        try await slow.close()
        try await quick.close()
    }

    @Test func `an HTTP monitor goes by the status`() async throws {
        let isBroken = Flag()
        let backend = try await TestBackend {
            StatusServer { isBroken.value ? "503 Service Unavailable" : "302 Found" }
        }
        let (changes, reports) = AsyncStream.makeStream(of: MemberChange.self)
        let host = HostSide(loadBalancer([backend.port], profile: .tcpFastPath, monitor: monitor(.http))) {
            reports.yield($0)
        }
        defer { host.stop() }
        try host.start()
        host.startMonitors()
        var next = changes.makeAsyncIterator()
        isBroken.value = true
        let down = await next.next()
        #expect(down == MemberChange(service: "web", member: "backend-1", isUp: false, reason: "status 503"))
        isBroken.value = false
        let up = await next.next()
        #expect(up == MemberChange(service: "web", member: "backend-1", isUp: true, reason: "status 302"))
        #expect(host.port(of: "web") == nil)
        try await backend.close()
    }

    @Test func `a member that accepts and never answers is down for an HTTP monitor`() async throws {
        let backend = try await TestBackend { Witness(onEnd: { _ in }) }
        let (changes, reports) = AsyncStream.makeStream(of: MemberChange.self)
        let configuration = loadBalancer(
            [backend.port], profile: .tcpFastPath, monitor: monitor(.http, timeout: .milliseconds(30)))
        let host = HostSide(configuration) { reports.yield($0) }
        defer { host.stop() }
        try host.start()
        host.startMonitors()
        for await change in changes {
            #expect(!change.isUp && change.reason == "no answer within 0.03 seconds")
            break
        }
        try await backend.close()
    }

    @Test func `a member that answers with something else than HTTP is down`() async throws {
        let backend = try await TestBackend { Greeter("SSH-2.0-OpenSSH\r\n") }
        let (changes, reports) = AsyncStream.makeStream(of: MemberChange.self)
        let host = HostSide(loadBalancer([backend.port], profile: .tcpFastPath, monitor: monitor(.http))) {
            reports.yield($0)
        }
        defer { host.stop() }
        try host.start()
        host.startMonitors()
        for await change in changes {
            #expect(!change.isUp && !change.reason.isEmpty)
            break
        }
        try await backend.close()
    }
}

private final class Flag: Sendable {
    private let state = Mutex(false)
    var value: Bool {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }
}

private final class Count: Sendable {
    private let count = Mutex(0)
    var value: Int { count.withLock { $0 } }
    func add() { count.withLock { $0 += 1 } }
}
