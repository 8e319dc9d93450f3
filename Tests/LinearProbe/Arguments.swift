import InstrumentedMaps
import LinearWorkload

/// What the command line asks for.
struct Arguments {
    private(set) var subjects: [Subject] = []
    private(set) var lists = false
    private(set) var plan = Plan(operations: 10_000_000, round: 1_000_000, seed: 1)

    init(_ words: ArraySlice<String>) throws(UsageError) {
        var words = words
        while let option = words.popFirst() {
            if option == "--calm" {
                plan.isCalm = true
                continue
            }
            guard let word = words.popFirst() else { throw UsageError(text: "\(option) needs a value") }
            switch option {
            case "--strategy":
                if word == "all" {
                    subjects += Subject.sound
                } else if let subject = Subject.sound.first(where: { $0.description == word }) {
                    subjects.append(subject)
                } else {
                    throw UsageError(text: "\"\(word)\" is no strategy")
                }
            case "--planted":
                if word == "list" {
                    lists = true
                } else if let fault = PlantedFault(rawValue: word) {
                    subjects.append(.planted(fault))
                    fault.prepare(&plan)
                } else {
                    throw UsageError(text: "\"\(word)\" is no planted fault; --planted list says which there are")
                }
            default: try take(option, word)
            }
        }
        if subjects.isEmpty, !lists { throw UsageError(text: "say which map: --strategy or --planted") }
    }

    private mutating func take(_ option: String, _ word: String) throws(UsageError) {
        guard let number = Int(word), number > 0 else { throw UsageError(text: "\(option) needs a number above 0") }
        switch option {
        case "--operations": plan.operations = number
        case "--round": plan.round = number
        case "--seed": plan.seed = UInt64(number)
        case "--threads": plan.threads = min(number, 60)
        case "--keys": plan.keys = min(number, 250)
        default: throw UsageError(text: "unknown option \(option)")
        }
    }
}

/// A command line that nobody can follow.
struct UsageError: Error, CustomStringConvertible {
    let text: String

    var description: String { text }
}
