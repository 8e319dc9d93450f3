import ArgumentParser
import Workloads

// How fast is a mapwatch map beside what others would take? All subjects in one process and one run, on the same lists of
// operations, round by round; oneTBB's concurrent_hash_map is the measure of the goals.

@main
struct MapBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "MapBench",
        abstract: "Measures mapwatch's maps beside oneTBB, unordered_map and Dictionary.",
        discussion: """
            Rows: \(Row.all.map(\.name).joined(separator: ", ")).
            Subjects: \(SubjectKind.allCases.map(\.rawValue).joined(separator: ", ")).
            Without tbb among the subjects there are no ratios.
            """)

    @Flag(help: "One round of few operations on a small map: a smoke test, not a measurement.")
    var quick = false

    @Option(help: "Rounds; the result is their median. Default: 5, with --quick 1.")
    var rounds: Int?

    @Option(help: "Only these rows, separated by commas.")
    var rows: String?

    @Option(help: "Only these subjects, separated by commas.")
    var subjects: String?

    @Option(help: "Where to write the results as JSON.")
    var json = ".build/bench.json"

    @Flag(help: "Count the time that threads were running, not the clock's: where others use the machine.")
    var runningTime = false

    @Flag(help: "Print each thread's share and longest operation.")
    var perThread = false

    func validate() throws {
        guard rounds ?? 1 >= 1 else { throw ValidationError("--rounds must be 1 or more, not \(rounds ?? 0)") }
        _ = try chosenRows()
        _ = try chosenSubjects()
    }

    func run() throws {
        var scale = quick ? Scale.quick : Scale.full
        scale.countsRunningTime = runningTime
        let subjects = try chosenSubjects()
        let rows = try playable(chosenRows())
        Machine.printHead(seed: benchmarkSeed)
        print(
            "load     \(scale.keys) keys of 12 bytes, all set before each run; values of \(Workload.valueLength) bytes; "
                + "\(scale.operations) operations a run, \(scale.runSeconds) s at most; mixes are get/set/delete")
        if runningTime { print("time     that the threads were running, not the clock's") }
        if quick { print("quick    too short to be a measurement") }
        let check = SelfCheck()
        for subject in subjects { try check.check(subject) }
        print("check    every subject ends the same operations with the same contents")
        var measurement = Measurement(rows: rows, subjects: subjects, rounds: rounds ?? (quick ? 1 : 5), scale: scale)
        let others = OtherLoad()
        try measurement.run()
        print("others   took \(Int((others.share * 100).rounded())) % of the cores meanwhile")
        Report(measurement: measurement, perThread: perThread).print()
        try measurement.writeJSON(to: json)
        print("written  \(json)")
    }

    /// Leaves rows with batches out while no map of the project has a call for them.
    private func playable(_ rows: [Row]) throws -> [Row] {
        try SubjectKind.mapwatch.make().takesBatches ? rows : rows.filter { $0.batch == 1 }
    }

    private func chosenRows() throws -> [Row] {
        guard let rows else { return Row.all }
        return try rows.split(separator: ",").map { name in
            guard let row = Row.all.first(where: { $0.name == name }) else {
                throw ValidationError("--rows: there is no row \"\(name)\"")
            }
            return row
        }
    }

    private func chosenSubjects() throws -> [SubjectKind] {
        guard let subjects else { return SubjectKind.allCases }
        return try subjects.split(separator: ",").map { name in
            guard let subject = SubjectKind(rawValue: String(name)) else {
                throw ValidationError("--subjects: there is no subject \"\(name)\"")
            }
            return subject
        }
    }
}
