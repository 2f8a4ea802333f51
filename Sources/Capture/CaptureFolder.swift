public import Evidence

/// The capture files of one variant's folder as a source of frames.
public struct CaptureFolder: FrameSource {
    /// The variant's folder; `CaptureSummary.path` is relative to it.
    public let path: String

    public init(path: String) { self.path = path }

    public func frames(
        of capture: CaptureSummary, matching filter: String?, _ visit: (CapturedFrame) throws -> Bool
    ) throws {
        let compiled = try filter.map { text throws(CaptureFilterError) in try CaptureFilter(text) }
        let filePath = path.isEmpty || capture.path.hasPrefix("/") ? capture.path : "\(path)/\(capture.path)"
        var file = try CaptureFile(path: filePath)
        while let record = try file.next(matching: compiled) {
            let frame = CapturedFrame(
                capture: capture.path, number: record.number, time: record.time, bytes: Array(record.bytes),
                originalLength: record.originalLength)
            guard try visit(frame) else { return }
        }
        if file.isTruncated {
            throw CaptureError(
                .cannotReadFile, path: filePath,
                detail: "it ends within frame \(file.count + 1): its capture was killed while it wrote")
        }
        if file.count != capture.frames {
            throw CaptureError(
                .cannotReadFile, path: filePath,
                detail: "it holds \(file.count) frames, but \(capture.frames) were captured")
        }
    }
}
