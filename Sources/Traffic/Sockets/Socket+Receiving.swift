extension Socket {
    /// Hands over what has come, until there is no more or nobody wants more.
    /// - Returns: what came instead of more: nothing, the end of the stream, or an error
    func receiveAll(
        isStream: Bool, while isWanted: () -> Bool, _ take: (UnsafeRawBufferPointer) -> Void
    ) -> Outcome {
        withUnsafeTemporaryAllocation(byteCount: 65536, alignment: 16) { buffer in
            while isWanted() {
                let outcome = receive(into: buffer, isStream: isStream)
                guard case .bytes(let count) = outcome else { return outcome }
                take(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            }
            return .wouldBlock
        }
    }
}
