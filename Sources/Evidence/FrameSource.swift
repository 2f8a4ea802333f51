/// Where captured frames come from: capture files through libpcap, or memory in tests.
public protocol FrameSource: Sendable {
    /// Visits the frames of a capture in the order of the file.
    ///
    /// - Parameters:
    ///   - filter: libpcap's filter language; nil selects every frame. Frames that it passes over are still counted
    ///     in `CapturedFrame.number`.
    ///   - visit: returns false to stop.
    /// - Throws: what `visit` throws; an error for people where the file is missing, is no capture of Ethernet,
    ///   ends within a frame, or holds fewer frames than the summary states; where the filter is not valid.
    func frames(of capture: CaptureSummary, matching filter: String?, _ visit: (CapturedFrame) throws -> Bool) throws
}
