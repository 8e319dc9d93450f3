import CFuzzer

// One program for all targets, because all are built and linked at once; `FUZZ_TARGET` names the one to run. The name
// is not an argument, since libFuzzer starts itself again with its own arguments when it merges a corpus.
//
//     FUZZ_TARGET=batch fuzz -max_total_time=10 CORPUS     the flags are libFuzzer's, `-help=1` lists them
//     FUZZ_TARGET=batch fuzz crash-0123…                   runs one find again
//
// A find is a trap of the code, an error of AddressSanitizer, what `run.sh` bounds in time and memory, or a
// property that does not hold, which `require` makes a trap.

@main
enum Fuzz {
    static func main() {
        guard FuzzTarget.chosen != nil else {
            print("FUZZ_TARGET must be one of \(FuzzTarget.allCases.map(\.rawValue).joined(separator: ", "))")
            return
        }
        var count = CommandLine.argc
        var arguments = unsafe CommandLine.unsafeArgv
        // Safety: the vector is the process' own, and libFuzzer's driver reads it before it returns.
        unsafe withUnsafeMutablePointer(to: &arguments) { pointer in
            unsafe pointer.withMemoryRebound(
                to: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?.self, capacity: 1
            ) { _ = unsafe LLVMFuzzerRunDriver(&count, $0, testOneInput) }
        }
    }
}

/// Called by libFuzzer for each input.
@c func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // Safety: libFuzzer lends `count` bytes for the length of the call; they are copied.
    let input = unsafe Array(UnsafeBufferPointer(start: bytes, count: count))
    FuzzTarget.chosen?.check(input)
    return 0
}

/// Ends the process, and so makes the input a find, unless the property holds.
func require(_ holds: Bool, _ property: @autoclosure () -> String) {
    if !holds { fatalError(property()) }
}
