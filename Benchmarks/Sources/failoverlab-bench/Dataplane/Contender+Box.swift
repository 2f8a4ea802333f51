internal import Appliances
internal import EventLoop
internal import LabTime
internal import PacketIO

extension Contender {
    /// Runs a box as a node's process does, on its own event loop.
    static func run<Box: Appliance & ~Copyable>(
        _ box: consuming Box, ports: [String] = ["inside", "outside"], until stop: UnsafeMutablePointer<Int32>
    ) throws {
        let loop = try EventLoop()
        let ports = ports.map { PortInterfaces(wire: $0, host: nil) }
        let runner = try BoxRunner(box, ports: ports, on: loop) { _ in }
        try runner.start()
        func look() {
            if stop.pointee != 0 { loop.stop() } else { loop.schedule(after: .milliseconds(20), look) }
        }
        look()
        loop.run()
        runner.stop()
    }
}
