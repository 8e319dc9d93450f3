import Foundation

// What a scrape costs, in two parts:
//
//     render    116 maps of 64 shards, 180,000 series: gathered, then rendered as text on one core
//     writers   CPU time per operation of two writers: alone, beside one scrape a second, beside a hundred at once
//
// Each prints its goal beside what it has measured. The comparison with a Go exporter is `scrape-pushgateway.sh`.

@main
enum ScrapeBench {
    static func main() throws {
        switch CommandLine.arguments.dropFirst().first {
        case "render": try RenderBench.run()
        case "writers": try WriterBench.run()
        case let other:
            print("usage: ScrapeBench render | writers, not \(other ?? "nothing")")
            exit(2)
        }
    }
}

/// A goal beside a figure: `met` or `MISSED`.
func verdict(_ isMet: Bool) -> String { isMet ? "met" : "MISSED" }

/// CPU time that the calling thread has taken.
func threadCPUSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}
