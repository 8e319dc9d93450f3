import AccidentIndicators
import Incidents
import InstrumentedMaps
import Scenarios

/// The status as JSON: what the page draws, and what a script may read.
///
/// Times are milliseconds of the daemon's monotonic clock, so that samples can be told apart and put in order.
struct StatusDocument {
    let sample: IndicatorSample
    let now: UInt64

    func maps(lines: (MapName) -> IndicatorLines) -> [UInt8] {
        StatusDocument.array(sample.maps) { map in
            let reading = sample.readings[map.incarnation] ?? IndicatorReading()
            return StatusDocument.map(map, reading, MapStanding(map, reading, lines(map.name)))
        }
    }

    /// A demo's scenario: how far it is, and whether its accident is under way.
    static func playing(_ playing: DemoStage.Playing) -> [UInt8] {
        var line = JSONLine()
        line.add("scenario", playing.name)
        line.add("title", playing.title)
        line.add("second", playing.second)
        line.add("seconds", ScenarioTime.length)
        line.add("phase", ScenarioTime.phase(at: playing.second))
        return line.object()
    }

    func scrapers(_ scrapers: [Scraper]) -> [UInt8] {
        StatusDocument.array(scrapers) { scraper in
            var line = JSONLine()
            line.add("name", scraper.name)
            line.add("seconds_ago", Double(now &- min(now, scraper.lastNanoseconds)) / 1e9)
            if let interval = scraper.intervalNanoseconds {
                line.add("interval_seconds", Double(interval) / 1e9)
            } else {
                line.addNull("interval_seconds")
            }
            line.add("scrapes", scraper.scrapes)
            return line.object()
        }
    }

    /// The newest, as many as a page has room for.
    static func incidents(_ listed: [IncidentArchive.Listed]) -> [UInt8] {
        array(listed.prefix(5)) { IncidentRow.render($0) }
    }

    /// The last samples of one map, oldest first, with a number a shard in each.
    static func selected(_ name: MapName, _ window: MapWindow, seconds: Int, heat: StatusQuery.Heat) -> [UInt8] {
        var line = JSONLine()
        line.add("name", name.text)
        line.add("shards", window.shardCount)
        line.add("heat", heat.rawValue)
        let ages = (0..<min(seconds, window.count)).reversed()
        line.add(
            "samples",
            json: array(ages) { age in
                let second = window.second(age)
                var line = JSONLine()
                line.add("t", second.nanoseconds / 1_000_000)
                line.add("entries", second.entries)
                line.add("bytes", second.liveBytes)
                line.add("delete_ratio", window.deleteRatio(age: age))
                if window.keepsShards {
                    line.add("heat", json: array(0..<window.shardCount) { Array("\(shardHeat($0))".utf8) })
                    func shardHeat(_ shard: Int) -> UInt64 { StatusDocument.heat(heat, window, shard, age) }
                } else {
                    line.addNull("heat")
                }
                return line.object()
            })
        return line.object()
    }

    /// One shard at one sample; 0 at the first, before which nothing is known.
    private static func heat(_ heat: StatusQuery.Heat, _ window: MapWindow, _ shard: Int, _ age: Int) -> UInt64 {
        guard let row = window.shard(shard, age: age) else { return 0 }
        if heat == .entries { return UInt64(row.entries) }
        guard age + 1 < window.count, let before = window.shard(shard, age: age + 1) else { return 0 }
        return switch heat {
        case .wait: UInt64(row.wait &- before.wait) * ShardSecond.waitUnitNanoseconds / 1000
        case .writes: UInt64(row.writes &- before.writes)
        case .deletes: UInt64(row.deletes &- before.deletes)
        case .entries: UInt64(row.entries)
        }
    }

    private static func map(_ map: MapGlance, _ reading: IndicatorReading, _ standing: MapStanding) -> [UInt8] {
        var line = JSONLine()
        line.add("name", map.name.text)
        line.add("strategy", map.options.strategy.rawValue)
        line.add("shards", map.shards.count)
        line.add("mode", map.mode.rawValue)
        line.add("entries", map.sums.entries)
        line.add("bytes", map.sums.liveBytes)
        line.add("waiters", map.sums.lockWaiters)
        line.add("open_iterators", map.openIterators)
        line.add("writes_per_second", reading.rates.writes)
        line.add("deletes_per_second", reading.rates.deletes)
        line.add("loads_per_second", reading.rates.loads)
        line.add("lock_wait_seconds_per_second", reading.rates.lockWaitSeconds)
        line.add("level", standing.level.rawValue)
        line.add("signature", json: Array("\(reading.hasSignature)".utf8))
        line.add("judged", json: Array("\(reading.isJudged)".utf8))
        var indicators = JSONLine()
        for standing in standing.indicators {
            indicators.add(standing.indicator.rawValue, json: indicator(standing))
        }
        line.add("indicators", json: indicators.object())
        return line.object()
    }

    private static func indicator(_ standing: IndicatorStanding) -> [UInt8] {
        var line = JSONLine()
        line.add("value", standing.value)
        if let amber = standing.amber { line.add("amber", amber) }
        if let red = standing.red { line.add("red", red) }
        line.add("level", standing.level.rawValue)
        return line.object()
    }

    private static func array<Items: Sequence>(_ items: Items, _ render: (Items.Element) -> [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = [UInt8(ascii: "[")]
        for item in items {
            if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
            bytes += render(item)
        }
        bytes.append(UInt8(ascii: "]"))
        return bytes
    }
}
