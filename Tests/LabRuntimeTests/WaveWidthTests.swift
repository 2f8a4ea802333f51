import LabTime
import Testing

@testable import LabRuntime

struct WaveWidthTests {
    @Test func `an idle machine begins with three labs a core, a busy one with its share of them`() {
        #expect(WaveWidth.adaptive(cores: 2, others: 0).now == 6)
        #expect(WaveWidth.adaptive(cores: 2, others: 2).now == 3)
        #expect(WaveWidth.adaptive(cores: 2, others: 100).now == 1)
        #expect(WaveWidth.adaptive(cores: 1, others: 0.5).now == 2)
    }

    @Test func `labs that run late halve the next wave, down to one`() {
        var width = WaveWidth.adaptive(cores: 2, others: 0)
        for expected in [3, 1, 1] {
            width.begins()
            width.saw(.milliseconds(3))
            width.saw(.milliseconds(30))
            width.ends()
            #expect(width.now == expected)
        }
    }

    @Test func `labs that run on time widen the next wave, up to eight a core`() {
        var width = WaveWidth.adaptive(cores: 2, others: 0)
        for expected in [12, 16, 16] {
            width.begins()
            width.saw(.milliseconds(9))
            width.ends()
            #expect(width.now == expected)
        }
    }

    @Test func `labs that run a little late leave the width as it is`() {
        var width = WaveWidth.adaptive(cores: 2, others: 0)
        width.begins()
        width.saw(.milliseconds(15))
        width.ends()
        #expect(width.now == 6)
    }

    @Test func `a number that a person gives is kept`() {
        var width = WaveWidth.fixed(16)
        width.begins()
        width.saw(.seconds(2))
        width.ends()
        #expect(width.now == 16)
    }
}
