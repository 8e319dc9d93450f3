import AccidentIndicators
import FlightRecorder
import InstrumentedMaps

/// `incident.json`: the facts, for programs.
enum IncidentDocument {
    static func render(_ incident: Incident) -> String {
        let summary = incident.summary
        var json = JSONText(isOutermost: true)
        json.add("id", summary.id.text)
        json.add("kind", summary.kind.rawValue)
        if let map = summary.map { json.add("map", map.text) } else { json.add("map", json: "null") }
        json.add("time", summary.time)
        json.add("timestamp_seconds", summary.seconds)
        json.add("note", summary.note)
        json.add("first_of_hour", summary.isFirstOfHour)
        json.add("version", incident.version)
        if let conflict = incident.conflict { json.add("conflict", json: render(conflict, incident.moment)) }
        if let run = incident.previousRun { json.add("previous_run", json: render(run)) }
        if let evidence = incident.evidence {
            json.add("options", json: options(evidence.map))
            json.add("figures", json: figures(evidence))
            json.add("indicators", json: indicators(evidence))
            json.add("lines", json: lines(evidence))
            json.add("cycles", json: cycles(evidence))
        }
        json.add("samples", incident.evidence.map { $0.ages.count } ?? 0)
        json.add("operations", incident.operations?.count ?? 0)
        return json.object + "\n"
    }

    private static func render(_ conflict: IncidentConflict, _ moment: Moment) -> String {
        func party(_ party: IncidentConflict.Party) -> String {
            var json = JSONText()
            json.add("caller", party.caller)
            json.add("thread", party.thread)
            json.add("operation", party.operation)
            json.add("key_hash", TraceText.hexadecimal(party.keyHash))
            json.add("since", CalendarTime.text(moment.milliseconds(of: party.sinceNanoseconds) * 1_000_000))
            return json.object
        }
        var json = JSONText()
        json.add("kind", conflict.kind)
        json.add("shard", conflict.shard)
        json.add("found", json: party(conflict.found))
        json.add("holder", json: party(conflict.holder))
        return json.object
    }

    private static func render(_ run: PreviousRun) -> String {
        var json = JSONText()
        json.add("started_at", CalendarTime.text(run.startedAt))
        if run.lastOperationAt == 0 {
            json.add("last_operation_at", json: "null")
        } else {
            json.add("last_operation_at", CalendarTime.text(run.lastOperationAt))
        }
        json.add("maps", json: JSONText.array(run.operations.keys.sorted().map(TraceText.quoted)))
        return json.object
    }

    private static func options(_ map: MapGlance) -> String {
        let options = map.options
        var json = JSONText()
        json.add("strategy", options.strategy.rawValue)
        json.add("shards", options.shards)
        json.add("reads", options.reads.rawValue)
        json.add("hash", options.hash.rawValue)
        if let maximum = options.maximumBytes { json.add("max_bytes", maximum) }
        if let seconds = options.ttlSeconds { json.add("ttl_seconds", seconds) }
        json.add("mode", map.mode.rawValue)
        json.add("guard", options.deletionGuard.rawValue)
        if options.strategy == .checked {
            json.add("policy", options.policy.rawValue)
            json.add("check_reads", options.checksReads)
        }
        return json.object
    }

    private static func figures(_ evidence: MapEvidence) -> String {
        let (map, rates) = (evidence.map, evidence.reading.rates)
        var json = JSONText()
        json.add("entries", map.sums.entries)
        json.add("bytes", map.sums.liveBytes)
        json.add("writes", map.sums.writes)
        json.add("deletes", map.sums.deletes)
        json.add("writes_per_second", rates.writes)
        json.add("deletes_per_second", rates.deletes)
        json.add("loads_per_second", rates.loads)
        json.add("open_iterators", map.openIterators)
        return json.object
    }

    private static func indicators(_ evidence: MapEvidence) -> String {
        let standing = MapStanding(evidence.map, evidence.reading, evidence.lines)
        var json = JSONText()
        for indicator in standing.indicators { json.add(indicator.indicator.rawValue, indicator.value) }
        json.add("signature", evidence.reading.hasSignature)
        json.add("judged", evidence.reading.isJudged)
        return json.object
    }

    private static func lines(_ evidence: MapEvidence) -> String {
        var json = JSONText()
        for indicator in Indicator.allCases {
            json.add(indicator.rawValue, evidence.lines.line(indicator, shards: evidence.map.shards.count))
        }
        return json.object
    }

    private static func cycles(_ evidence: MapEvidence) -> String {
        JSONText.array(
            evidence.cycles.map { cycle in
                var json = JSONText()
                json.add("ended", CalendarTime.text(cycle.milliseconds * 1_000_000))
                if let share = cycle.deleteRatio {
                    json.add("delete_ratio", share)
                } else {
                    json.add("delete_ratio", json: "null")
                }
                return json.object
            })
    }
}
