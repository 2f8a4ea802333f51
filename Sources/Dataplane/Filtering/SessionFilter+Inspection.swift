import LabTime
import Wire

extension SessionFilter {
    /// Looks at the first payload of a session's originator; what it tells is news for the peer.
    ///
    /// - Parameter packet: the frame's start, for which `layout` vouches
    mutating func inspect(
        _ index: FlowIndex, _ layout: FrameLayout, in packet: UnsafeRawPointer, at now: Instant
    ) {
        let payload = UnsafeRawBufferPointer(
            start: packet + Int(layout.payloadOffset), count: layout.payloadLength)
        let reading = ApplicationReader.read(payload, layout.fiveTuple, name: nameBuffer)
        table[index].application = reading.application
        if reading.nameLength > 0 {
            table[index].category = categories.category(
                of: UnsafeRawBufferPointer(rebasing: nameBuffer[..<reading.nameLength]))
        }
        if isRecording { note(index, .metadata, at: now) }
    }
}
