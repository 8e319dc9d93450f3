/// A read of memory that was given back: the fault that AddressSanitizer must find.
enum Freed {
    /// Ends the process under the sanitizer; else says that nobody minded.
    static func read() -> [String] {
        let block = UnsafeMutablePointer<UInt64>.allocate(capacity: 8)
        unsafe block.initialize(repeating: 1, count: 8)
        unsafe block.deallocate()
        // Safety: there is none; that is the fault.
        let word = unsafe block[3]
        return ["a freed word was read as \(word), and nobody minded"]
    }
}
