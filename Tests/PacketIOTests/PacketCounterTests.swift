import LabEvents
import PacketIO
import Testing

struct PacketCounterTests {
    @Test func `a packet socket counts what is declared of it`() {
        #expect(PacketCounters().readings.map(\.name) == CounterScope(.packetIO).names)
    }
}
