import Workloads

/// Plays one fixed sequence on a subject and on a plain dictionary; a subject that answers differently is not timed.
struct SelfCheck {
    private let lists: [OperationList]
    private let reading: OperationList
    private let expected: Outcome

    /// What the threads saw, what the map holds at the end, and how much it says it holds.
    private struct Outcome: Equatable {
        let played: [Played]
        let contents: Played
        let count: Int
    }

    init() {
        let workload = Workload(keys: 20_000)
        // Four threads at once, each with keys of its own: the locks are used, and the outcome is still one.
        lists = workload.disjointLists(Mix(30, 40, 30), threads: 4, operationsPerThread: 100_000)
        reading = workload.reading
        let model = ModelSubject()
        let played = lists.map { model.play($0) }
        expected = Outcome(played: played, contents: model.play(reading), count: model.count)
    }

    func check(_ kind: SubjectKind) throws {
        let subject = try kind.make()
        let lists = lists
        let played = onThreads(lists.count) { subject.play(lists[$0]) }.outputs
        let outcome = Outcome(played: played, contents: subject.play(reading), count: subject.count)
        guard outcome == expected else { throw SelfCheckError(subject: kind.title) }
    }
}

struct SelfCheckError: Error, CustomStringConvertible {
    let subject: String
    var description: String { "\(subject) does not hold what a dictionary holds after the same operations" }
}
