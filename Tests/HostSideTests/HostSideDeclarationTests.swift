import Appliances
import Configuration
import LabEvents
import Testing

@testable import HostSide

struct HostSideDeclarationTests {
    private func compare(_ readings: [CounterReading], _ configuration: LoadBalancerConfiguration, open: Set<String>) {
        let printed = readings.map(\.name)
        #expect(Set(printed).count == printed.count)
        let scope = CounterScope(hostSideOf: configuration)
        for name in printed { #expect(scope.contains(name), "\(name) is printed, and not declared") }
        #expect(Set(scope.names).subtracting(printed) == open, "declared, and not printed")
    }

    @Test func `a proxy counts what is declared of it`() {
        compare(ProxyCounters().readings(of: "web"), loadBalancer([8080], profile: .tcpProxy), open: [])
    }

    @Test func `an HTTP service counts what is declared of it`() {
        let counters = HTTPCounters()
        for reason in HTTPErrorReason.allCases { counters.countFailure(reason.rawValue) }
        for fault in MessageFault.allCases { counters.countFailure(fault.rawValue) }
        counters.countTLSFailure("http-request")
        compare(
            counters.readings(of: "web"), loadBalancer([8080], profile: .http),
            open: ["http.web.tls-failed.<reason>"])
    }
}
