import Appliances
import Configuration
import Testing
import Wire

@Suite struct LoadBalancerConfigurationTests {
    private func message(_ change: (inout LoadBalancerConfiguration) -> Void) -> String? {
        var configuration = BalancerBench.configuration([BalancerBench.service(.udpPerPacket)])
        change(&configuration)
        do {
            _ = try LoadBalancer(configuration)
            return nil
        } catch { return error.description }
    }

    @Test func `a right configuration is accepted`() { #expect(message { _ in } == nil) }

    @Test func `mistakes are named with what is allowed`() {
        #expect(
            message { $0.ports = [] }
                == "the route to 0.0.0.0/0 leads to 198.51.100.1, which is on none of the connected networks (); give the address of a neighbour"
        )
        #expect(
            message { $0.routes[0].gateway = .ipv4(IPv4Address(10, 0, 0, 1)) }
                == "the route to 0.0.0.0/0 leads to 10.0.0.1, which is on none of the connected networks (198.51.100.0/24, 203.0.113.0/24); give the address of a neighbour"
        )
        #expect(
            message { $0.services.append(BalancerBench.service(.udpFastPath, name: "dns")) }
                == "services web and dns both listen at 198.51.100.100:53/udp")
        #expect(
            message { $0.services[0].members = [] }
                == "the pool of service web has 0 members; 1 to 6553 are allowed")
        #expect(
            message { $0.services[0].members[1].weight = 101 }
                == "member b2 of service web has weight 101; 1 to 100 are allowed")
        #expect(
            message { $0.services.append(BalancerBench.service(.udpPerPacket, port: 54, name: "dns")) }
                == "the per-packet services web and dns share member 203.0.113.21:5353, so an answer could be either's; give one of them source-translation auto-map"
        )
        #expect(
            message {
                $0.services = [BalancerBench.service(.http)]
                $0.services[0].http = HTTPServiceConfiguration(
                    responseHeaders: HeaderRewriting(remove: ["Transfer-Encoding"]))
            }
                == "service web: the response header 'Transfer-Encoding' says where a message ends; it cannot be rewritten"
        )
        #expect(
            message {
                $0.routes = []
                $0.services[0].members[0].address = .ipv4(IPv4Address(10, 0, 0, 9))
            } == "no route of lb leads to member b1 (10.0.0.9) of service web")
    }
}
