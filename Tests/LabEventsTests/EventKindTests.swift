import LabEvents
import Testing

struct EventKindTests {
    @Test(arguments: EventKind.allCases)
    func `a kind has one sentence, reporters, and each detail once`(kind: EventKind) {
        let declaration = kind.declaration
        #expect(declaration.sentence.hasSuffix(".") && declaration.sentence.first?.isUppercase == true)
        #expect(!declaration.reports.isEmpty)
        let reporters = declaration.reports.flatMap(\.reporters)
        #expect(!reporters.isEmpty && Set(reporters).count == reporters.count)
        for report in declaration.reports {
            let details = report.details.map(\.detail)
            #expect(Set(details).count == details.count, "\(details)")
        }
    }

    @Test func `a sentence says what one kind is about`() {
        let sentences = EventKind.allCases.map(\.declaration.sentence)
        #expect(Set(sentences).count == sentences.count)
    }

    @Test func `every detail, type and reporter is used`() {
        let reports = EventKind.allCases.flatMap(\.declaration.reports)
        #expect(Set(reports.flatMap(\.details).map(\.detail)) == Set(EventDetail.allCases))
        #expect(Set(reports.flatMap(\.details).map(\.type)) == Set(EventDetailType.allCases))
        #expect(Set(reports.flatMap(\.reporters)) == Set(EventReporter.allCases))
    }

    @Test func `names are those of lab files`() {
        #expect(EventKind.active.name(of: "fw-b") == "fw-b.active")
        #expect(EventKind.kinds(of: .traffic).map { $0.name(of: "app") } == ["app.start", "app.answered", "app.stop"])
        #expect(EventKind.held.name(of: "late-fin") == "late-fin.held")
        #expect(
            EventKind.allCases.compactMap { kind in kind.subject.map { kind.name(of: $0) } } == [
                "scenario.begin", "lab.failed",
            ])
        #expect(
            [501, 502, 503, 504, 505].map { EventKind(httpStatus: $0) } == [nil, .http502, .http503, .http504, nil])
    }

    @Test func `details that are missing, not declared, or of another form are found`() {
        let complete: EventDetails = [.service: "web", .client: "192.0.2.1:4000", .reason: "http-request"]
        #expect(EventKind.tlsFailed.problem(with: complete, from: .loadBalancer) == nil)
        #expect(EventKind.tlsFailed.problem(with: complete, from: .firewall)?.contains("not declared for") == true)
        var other = complete
        other[.reason] = nil
        #expect(EventKind.tlsFailed.problem(with: other, from: .loadBalancer) == "tls-failed lacks 'reason'")
        other = complete.merging([.member: "b1"]) { $1 }
        #expect(EventKind.tlsFailed.problem(with: other, from: .loadBalancer)?.contains("'member'") == true)
        other = complete.merging([.leftOut: "some"]) { $1 }
        #expect(EventKind.tlsFailed.problem(with: other, from: .loadBalancer)?.contains("no number") == true)
        #expect(EventKind.switchover.problem(with: [:], from: .scenario) == nil)
        #expect(EventKind.switchover.problem(with: [:], from: .firewall) != nil)
    }

    @Test(arguments: [
        (EventDetailType.name, ["SYN,ACK", "b1"], ["", "a\nb"]),
        (.number, ["0", "-3", "18446744073709551615"], ["", "1.5", "many"]),
        (.decimal, ["0.25", "3", "12.000001"], ["", "1 s"]),
        (.duration, ["5 ms", "0.250 ms"], ["5", "5 s", "x ms"]),
        (.share, ["33.4 %", "0.0 %"], ["33.4", "101.0 %"]),
        (.address, ["192.0.2.1", "2001:db8::1"], ["", "b1", "192.0.2.0/24"]),
        (.endpoint, ["192.0.2.1:80", "[2001:db8::1]:80", "192.0.2.1"], ["b1:80", "[b1]:80"]),
        (
            .flow, ["192.0.2.1:4000 -> 192.0.2.2:80", "tcp 192.0.2.1:4000 > 192.0.2.2:80"],
            ["192.0.2.1:4000", "a -> b"]
        ),
        (.network, ["192.0.2.0/24", "0.0.0.0/0", "::/0"], ["192.0.2.0", "24"]),
    ])
    func `a type knows its texts`(type: EventDetailType, right: [String], wrong: [String]) {
        for text in right { #expect(type.accepts(text), "\(text)") }
        for text in wrong { #expect(!type.accepts(text), "\(text)") }
    }
}
