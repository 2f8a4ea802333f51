/// No timer is due for ever.
struct TimePasses: PairPromise {
    let sentence = "time passes: no instant has steps without end"

    mutating func check(_ pair: inout PairView) -> String? {
        pair.stepsOfInstant > 10_000 ? "a timer is due for ever" : nil
    }
}
