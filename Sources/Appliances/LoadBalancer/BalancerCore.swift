import Configuration
import Dataplane
import Wire

/// What both address families of a load balancer share.
struct BalancerCore: ~Copyable {
    let configuration: LoadBalancerConfiguration
    var ports: BoxPorts
    var services: ServiceList
    /// VIP, port, protocol → service
    var listeners = EndpointTable()
    /// Members of per-packet services without source translation, whose answers are known by nothing else → service
    var answerers = EndpointTable()
    /// What monitors of services with direct server return ask: a member's address and port → service << 16 | member
    var monitored = EndpointTable()

    /// How long a TCP session that is over is kept for its last packets, in nanoseconds.
    static var linger: Int64 { 1_000_000_000 }
    /// How long a TCP session may take to be answered, in nanoseconds.
    static var opening: Int64 { 30_000_000_000 }

    init(_ configuration: LoadBalancerConfiguration, _ ports: consuming BoxPorts) {
        self.configuration = configuration
        self.ports = ports
        services = ServiceList(configuration.services)
        for (index, service) in configuration.services.enumerated() { add(service, at: UInt32(index)) }
    }

    private mutating func add(_ service: VirtualServiceConfiguration, at index: UInt32) {
        _ = listeners.insert(index, at: service.address, service.port, service.profile.transport)
        own(service.address, isShared: service.directReturn != nil)
        for (place, member) in service.monitoredMembers {
            _ = monitored.insert(index << 16 | UInt32(place), at: member.address, member.port, .tcp)
        }
        for address in service.http?.sourceAddresses ?? [] { own(address, isShared: false) }
        guard service.profile == .udpPerPacket, service.sourceTranslation == .off, service.directReturn == nil
        else { return }
        for member in service.members { _ = answerers.insert(index, at: member.address, member.port, .udp) }
    }

    private mutating func own(_ address: IPAddress, isShared: Bool) {
        let port = configuration.port(of: address)
        ports.own(address, on: port, answering: ports[port].mac, isShared: isShared)
    }
}

/// The virtual services of a load balancer, by their number.
struct ServiceList: ~Copyable {
    private let services: UnsafeMutablePointer<VirtualService>
    let count: Int

    init(_ configurations: [VirtualServiceConfiguration]) {
        count = configurations.count
        services = .allocate(capacity: max(1, count))
        for (index, configuration) in configurations.enumerated() {
            (services + index).initialize(to: VirtualService(configuration))
        }
    }

    deinit {
        services.deinitialize(count: count)
        services.deallocate()
    }

    // Numbers come from tables that have those of this list alone, so the loads need no bounds check.
    subscript(index: Int) -> VirtualService {
        unsafeAddress {
            assert(index >= 0 && index < count)
            return UnsafePointer(services + index)
        }
        unsafeMutableAddress {
            assert(index >= 0 && index < count)
            return services + index
        }
    }
}

extension LoadBalancerConfiguration {
    /// The port whose network has an address; the first one for an address that other routers send here.
    func port(of address: IPAddress) -> PortIndex {
        PortIndex(ports.firstIndex { $0.networks.contains { $0.contains(address) } } ?? 0)
    }
}
