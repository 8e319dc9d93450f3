import InstrumentedMaps
import LinearWorkload
import Linearizability
import TestSupport
import Testing

@Suite("Histories of maps")
struct MapHistoryTests {
    @Test(
        "what eight threads see of a few hot keys is linearizable while tables grow, shrink and are listed",
        arguments: Subject.sound)
    func isLinearizable(subject: Subject) throws {
        let map = try subject.makeMap()
        var trial = Trial(map, Plan(operations: 300_000, round: 100_000, seed: TestSeed.value))
        #expect(trial.run() == [], "\(TestSeed.note)")
        // The answer means something only if there was something to order.
        #expect(trial.statistics.overlapping > 3_000, "\(trial.statistics)")
        #expect(trial.statistics.mostPending >= 3, "\(trial.statistics)")
        #expect(trial.iterations > 10)
        #expect(trial.cycles > 3)
    }

    @Test(
        "a fault that is planted in what a map answers is found",
        arguments: PlantedFault.allCases.filter(\.keepsMemorySafe))
    func findsPlanted(fault: PlantedFault) throws {
        var plan = Plan(operations: 400_000, round: 1, seed: TestSeed.value)
        fault.prepare(&plan)
        var trial = Trial(try Subject.planted(fault).makeMap(), plan)
        #expect(trial.run() != [], "\(TestSeed.note)")
    }
}
