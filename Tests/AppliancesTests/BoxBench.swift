import Appliances
import Dataplane
import LabEvents
import LabTime
import PacketText
import Testing
import VirtualNetwork
import Wire

/// A lone box in a virtual network, whose packets are text, so that a test is a table:
/// `inside tcp 10.0.0.10:4000 > 203.0.113.5:80 SYN`, where the first word is the port by which the packet comes in or
/// leaves. `PacketText` has the rest.
///
/// Every frame that leaves by a wire is checked: not sent by a multicast address, transport and quoted header checksums
/// right.
class BoxBench<Box: Appliance & ~Copyable> {
    let network: VirtualNetwork
    let box: VirtualBox<Box>
    var text: PacketText
    /// Whether lines have the port, and the MAC addresses.
    private let showsPort: Bool
    private let showsLink: Bool
    /// Off for frames that come in damaged already: what a translator corrects is the change alone.
    var checksChecksums = true
    /// What left while time passed.
    private var sent: [BoxFrame] = []
    /// The first frames and events of the box.
    private(set) var announced: [BoxFrame] = []
    private(set) var startEvents: [ApplianceEvent] = []

    init(
        _ box: consuming Box, ports: [String], reporter: EventReporter, text: PacketText, showsPort: Bool = true,
        showsLink: Bool
    ) {
        network = VirtualNetwork()
        self.box = network.add("box", ports: ports, box)
        self.text = text
        self.showsPort = showsPort
        self.showsLink = showsLink
        self.box.onEvents = { asDeclared($0, of: reporter) }
        self.box.onFrame = { [unowned self] frame in
            check(frame)
            sent.append(frame)
        }
    }

    /// Starts the box, and lets hosts on its links ask for its addresses, so that it knows them.
    func start(asking: [(VirtualHost, IPAddress)] = []) {
        box.start()
        announced = sent
        startEvents = takeEvents()
        for (host, address) in asking { host.ask(for: address) }
        network.settle()
        _ = takeEvents()
    }

    // MARK: Packets

    /// What leaves because of frames that arrive together.
    @discardableResult
    func raw(_ frames: [BoxFrame], isDamaged: Bool = false) -> [BoxFrame] {
        let checks = checksChecksums
        if isDamaged { checksChecksums = false }
        defer { checksChecksums = checks }
        let left = box.process(frames)
        network.settle()
        return left
    }

    /// A line of what left.
    func line(_ frame: BoxFrame) -> String {
        let port = (frame.side == .host ? "host:" : "") + box.ports[Int(frame.port)] + " "
        return (showsPort ? port : "") + text.text(of: frame.bytes, detail: .brief, showsLink: showsLink)
    }

    /// The frame of a packet's text, without its port; a text that is wrong is the test's mistake.
    func bytes(
        _ packet: String, payload: [UInt8], timeToLive: UInt8 = 64, from source: MACAddress = .zero,
        to destination: MACAddress = .zero
    ) -> [UInt8] {
        text.bytes(packet, payload: payload, timeToLive: timeToLive, from: source, to: destination)
    }

    private func check(_ frame: BoxFrame) {
        var bytes = frame.bytes
        guard frame.side == .wire, checksChecksums, bytes.count > 6 else { return }
        #expect(bytes[6] & 1 == 0, "a frame left by a multicast address")
        bytes.withUnsafeMutableBytes { buffer in
            switch ParsedFrame(buffer) {
            case .ipv4(let packet):
                #expect(packet.isTransportChecksumValid, "\(packet.fiveTuple) left with a wrong checksum")
                guard let quoted = packet.quoted else { return }
                let header = UnsafeRawBufferPointer(rebasing: packet.payload.prefix(quoted.transportOffset))
                #expect(Checksum.isValid(header), "a quoted header left with a wrong checksum")
            case .ipv6(let packet):
                #expect(packet.isTransportChecksumValid, "\(packet.fiveTuple) left with a wrong checksum")
            default: break
            }
        }
    }

    // MARK: Time, commands, and what is seen

    /// Lets time pass; what leaves meanwhile.
    @discardableResult
    func pass(_ duration: Duration) -> [String] {
        sent = []
        network.run(for: duration)
        return sent.map(line)
    }

    func perform(_ command: ApplianceCommand) -> ApplianceReply { box.perform(command) }

    var events: [ApplianceEvent] { box.events }

    /// Events since the last call.
    func takeEvents() -> [ApplianceEvent] {
        defer { box.events = [] }
        return box.events
    }

    func counter(_ name: String) -> UInt64 { box.counter(name) }

    /// Every counter of drops that counted: `no-mapping 1`.
    var drops: [String] { box.drops }
}
