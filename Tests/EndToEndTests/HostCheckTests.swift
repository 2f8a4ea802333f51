import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Labs are skipped by `doctor`'s word, so that word is tested, and never skipped.
    @Suite struct HostCheck {
        static let smallest = """
            schema: 1
            name: smallest
            networks: { wire: 192.0.2.0/24 }
            nodes:
              a: { role: client, interfaces: { wire: 192.0.2.1 } }
              b: { role: backend, interfaces: { wire: 192.0.2.2 } }
            traffic: { echo: { from: a, to: "b:7", kind: udp, every: 10ms } }
            scenario: [{ start: echo }, { wait: 100ms }]
            expect: [{ echo: survives }]
            """

        @Test func `doctor comes to its end, and where something is lacking it names the change`() throws {
            let result = try Host.doctor.get()
            #expect([0, 4].contains(result.status), "\(result.output)\n\(result.errors)")
            #expect(result.output.contains("namespaces"), "\(result.output)")
        }

        @Test func `what doctor reports of this host is what run meets`() throws {
            let folder = try TemporaryFolder()
            try Self.smallest.write(toFile: folder.path + "/lab.yaml", atomically: true, encoding: .utf8)
            let result = try Lab.failoverlab(["run", "lab.yaml"], in: folder)
            let doctor = try Host.doctor.get()
            #expect(
                (result.status == 4) == (doctor.status == 4),
                "doctor: \(doctor.status)\n\(doctor.output)\nrun: \(result.status)\n\(result.output)\n\(result.errors)")
            if doctor.status == 0 { #expect(result.status == 0, "\(result.output)\n\(result.errors)") }
        }
    }

    /// What is not there proves something only where it could have been seen.
    @Suite struct Absences {
        /// The smallest lab with other expectations.
        private func run(_ verb: String, _ expectations: String) throws -> CommandResult {
            let folder = try TemporaryFolder()
            let lab = HostCheck.smallest.replacingOccurrences(of: "[{ echo: survives }]", with: expectations)
            #expect(lab != HostCheck.smallest)
            try lab.write(toFile: folder.path + "/lab.yaml", atomically: true, encoding: .utf8)
            return try Lab.failoverlab([verb, "lab.yaml"], in: folder)
        }

        @Test func `a variant that expects nothing but absence is refused, with what to add`() throws {
            let result = try run("validate", "[{ frames: { on: b.wire, match: tcp port 81 }, none: }]")
            #expect(result.status == 2, "\(result.output)")
            #expect(result.errors.contains("lab.yaml:9:"), "\(result.errors)")
            #expect(result.errors.contains("add what must be there"), "\(result.errors)")
        }

        @Test(
            .enabled(if: Host.canRunLabs, "this host cannot run labs"),
            arguments: [
                // A filter that can match nothing, with and without a control.
                ("[{ echo: survives }, { frames: { on: b.wire, match: tcp port 81 }, none: }]", Int32(5)),
                ("[{ frames: { on: b.wire, match: tcp port 81, control: { match: udp port 7 } }, none: }]", 0),
                ("[{ frames: { on: b.wire, match: tcp port 81, control: { match: tcp } }, none: }]", 5),
                // A window long after the run.
                ("[{ echo: survives }, { frames: { on: b.wire, match: udp, after: echo.start + 1h }, none: }]", 5),
                ("[{ echo: survives }, { event: { name: echo.stop, count: 0, after: echo.start + 1h } }]", 5),
                // The answers themselves, and a counter that the kernel has but did not touch.
                ("[{ echo: survives }, { frames: { on: b.wire, match: udp, before: echo.start }, none: }]", 0),
                ("[{ echo: survives }, { counter: { of: b, name: TcpExt.IPReversePathFilter, is: 0 } }]", 0),
            ])
        func `absence is evaluated by what the run could show`(expectations: String, status: Int32) throws {
            let result = try run("run", expectations)
            #expect(result.status == status, "\(result.output)\n\(result.errors)")
        }
    }
}
