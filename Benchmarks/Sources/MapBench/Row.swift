import Workloads

/// One load that every subject plays.
struct Row {
    static let fairnessThreads = 32

    let name: String
    let mix: Mix
    let distribution: Distribution
    var threads = 2
    var batch = 1
    /// What `mapwatch` is to reach, as a multiple of oneTBB in the same run.
    var goal: Double?

    var title: String {
        let keys = batch == 1 ? "" : ", batches of \(batch)"
        return "\(mix) \(distribution.rawValue), \(threads) threads\(keys)"
    }

    var measuresFairness: Bool { threads == Row.fairnessThreads }

    static let all = [
        Row(name: "95-uniform", mix: Mix(95, 5, 0), distribution: .uniform, goal: 2.4),
        Row(name: "50-uniform", mix: Mix(50, 25, 25), distribution: .uniform, goal: 3.4),
        Row(name: "20-uniform", mix: Mix(20, 40, 40), distribution: .uniform, goal: 3.6),
        Row(name: "95-zipf", mix: Mix(95, 5, 0), distribution: .zipf, goal: 2.5),
        Row(name: "50-zipf", mix: Mix(50, 25, 25), distribution: .zipf, goal: 2.9),
        Row(name: "20-zipf", mix: Mix(20, 40, 40), distribution: .zipf, goal: 3.0),
        Row(name: "50-uniform-32", mix: Mix(50, 25, 25), distribution: .uniform, threads: fairnessThreads),
        Row(name: "95-uniform-batch", mix: Mix(95, 5, 0), distribution: .uniform, batch: 16, goal: 5.8),
    ]
}
