import Dataplane
import Testing
import Wire

@Suite struct EndpointTableTests {
    @Test func `endpoints are told apart by address, port and protocol, however many there are`() {
        var table = EndpointTable()
        var added = 0
        for number in 0..<500 as Range<UInt32> {
            let address = IPv4Address(rawValue: 0xc633_6400 + number % 50)
            if table.insert(number, at: address, UInt16(80 + number / 50), number % 2 == 0 ? .tcp : .udp) { added += 1 }
        }
        #expect(added == 500 && table.count == 500)
        for number in 0..<500 as Range<UInt32> {
            let address = IPv4Address(rawValue: 0xc633_6400 + number % 50)
            #expect(table.lookup(address, UInt16(80 + number / 50), number % 2 == 0 ? .tcp : .udp) == number)
            #expect(table.lookup(address, UInt16(80 + number / 50), number % 2 == 0 ? .udp : .tcp) == nil)
        }
    }

    @Test func `an endpoint that is taken stays its first owner's`() {
        var table = EndpointTable()
        let isFirst = table.insert(1, at: IPv4Address(10, 0, 0, 1), 80, .tcp)
        let isSecond = table.insert(2, at: IPv4Address(10, 0, 0, 1), 80, .tcp)
        #expect(isFirst && !isSecond)
        #expect(table.lookup(IPv4Address(10, 0, 0, 1), 80, .tcp) == 1)
    }
}
