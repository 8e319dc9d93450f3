import Foundation
import Glibc
import InstrumentedMaps
import Testing

@testable import Incidents

@Suite("Bundles on disk")
struct IncidentArchiveTests {
    private let orders: MapName

    init() throws { orders = try MapName("orders") }

    @Test("without a directory incidents are counted and kept in memory, and asking for one is refused")
    func inMemory() throws {
        let workshop = try Workshop(isInMemory: true)
        for number in 0..<(IncidentArchive.rowsInMemory + 10) {
            workshop.pass(seconds: 60)
            workshop.reporter.report(.signature, on: orders, incarnation: 1)
            workshop.reporter.drain()
            #expect(workshop.archive.listed.count == min(number + 1, IncidentArchive.rowsInMemory))
        }
        let newest = try #require(workshop.archive.listed.first).summary
        #expect(try workshop.archive.read(newest.id, .guide) != nil)
        #expect(try workshop.archive.read(newest.id, .samples) == nil)
        let oldest = try #require(workshop.archive.listed.last).summary
        #expect(try workshop.archive.read(oldest.id, .guide) == nil)
        #expect(throws: IncidentRefusal.noStorage) {
            try workshop.reporter.record(note: "", on: orders, incarnation: 1)
        }
        #expect(!FileManager.default.fileExists(atPath: workshop.folder))
    }

    @Test("a full directory loses the oldest bundles, those that were first in their hour last")
    func rotation() throws {
        let bundle = 3 * BundleStore.blockBytes
        let workshop = try Workshop(maximumBytes: 3 * bundle)
        var kept: [String] = []
        for _ in 0..<8 {
            workshop.pass(seconds: 600)
            kept.append(try workshop.reporter.record(note: "", on: orders, incarnation: 1).id.text)
        }
        // 600 s apart from the 1,000th second of an hour on: the sixth is the first of the next hour.
        let firsts = workshop.archive.listed.filter(\.summary.isFirstOfHour).map(\.summary.id.text)
        #expect(firsts == [kept[4], kept[0]])
        #expect(workshop.names() == [kept[0], kept[4], kept[7]])
        #expect(workshop.reporter.outcomes.rotated == 5)
        #expect(workshop.archive.storedBytes == 3 * bundle)
    }

    @Test("the next start takes up what stands there, and clears what a crash has left")
    func restart() throws {
        let first = try Workshop()
        let id = try first.reporter.record(note: "kept", on: orders, incarnation: 1).id
        let leftover = "\(first.folder)/incidents/.new-20260301T120000123Z-0001"
        try FileManager.default.createDirectory(atPath: leftover, withIntermediateDirectories: true)
        try "half".write(toFile: leftover + "/samples.om", atomically: false, encoding: .utf8)
        let second = try Workshop(storage: first.folder)
        #expect(second.archive.listed.map(\.summary.id) == [id])
        #expect(second.archive.listed.first?.summary.note == "kept")
        #expect(second.archive.storedBytes == first.archive.storedBytes)
        #expect(second.names() == [id.text])
        // It had its first of this hour before.
        second.pass(seconds: 60)
        _ = try second.reporter.record(note: "", on: orders, incarnation: 1)
        #expect(second.archive.listed.first?.summary.isFirstOfHour == false)
    }

    @Test("foreign files, links, pipes, huge or wrong documents are left alone, each with a message")
    func tampered() throws {
        let first = try Workshop()
        let id = try first.reporter.record(note: "", on: orders, incarnation: 1).id
        let folder = first.folder + "/incidents"
        let manager = FileManager.default
        func make(_ number: Int) throws -> String {
            let path = "\(folder)/20260301T12000012\(number)Z-0001"
            try manager.createDirectory(atPath: path, withIntermediateDirectories: true)
            return path
        }
        try "x".write(toFile: folder + "/notes.txt", atomically: false, encoding: .utf8)
        try manager.createSymbolicLink(atPath: "\(folder)/20260301T120000120Z-0001", withDestinationPath: "/etc")
        try manager.createSymbolicLink(atPath: make(1) + "/incident.json", withDestinationPath: "/etc/passwd")
        #expect(unsafe try mkfifo(make(2) + "/incident.json", 0o600) == 0)
        #expect(manager.createFile(atPath: try make(3) + "/incident.json", contents: nil))
        #expect(unsafe truncate("\(folder)/20260301T120000123Z-0001/incident.json", 1 << 40) == 0)
        try "{\"id\":".write(toFile: make(4) + "/incident.json", atomically: false, encoding: .utf8)
        try first.file(id, .document).write(toFile: make(5) + "/incident.json", atomically: false, encoding: .utf8)
        let second = try Workshop(storage: first.folder)
        #expect(second.archive.listed.map(\.summary.id) == [id])
        #expect(second.notices.count == 7)
        #expect(second.names().count == 8)
        #expect(manager.fileExists(atPath: "/etc/passwd"))
    }

    @Test("a directory that cannot be made is told with its path and errno, and incidents go to memory")
    func unwritable() throws {
        let folder = NSTemporaryDirectory() + "mapwatch-incidents-\(UUID().uuidString)"
        try "a file".write(toFile: folder, atomically: false, encoding: .utf8)
        let workshop = try Workshop(storage: folder + "/storage")
        defer { try? FileManager.default.removeItem(atPath: folder) }
        #expect(throws: IncidentRefusal.self) {
            try workshop.reporter.record(note: "", on: orders, incarnation: 1)
        }
        #expect(workshop.reporter.outcomes.failed == 1)
        #expect(workshop.archive.listed.map(\.isStored) == [false])
        let texts = workshop.notices.map { "\($0)" }
        #expect(texts.count == 2)
        for text in texts { #expect(text.contains("\(folder)/storage") && text.contains("errno 20")) }
        // Once it can be made, it is.
        try FileManager.default.removeItem(atPath: folder)
        workshop.pass(seconds: 60)
        _ = try workshop.reporter.record(note: "", on: orders, incarnation: 1)
        #expect(workshop.archive.listed.map(\.isStored) == [true, false])
    }
}
