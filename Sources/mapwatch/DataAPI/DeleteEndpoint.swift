import DataDocuments
import HTTPServer
import InstrumentedMaps

/// Deletes many entries: collects the keys, then deletes them, so that nobody iterates while the map shrinks.
struct DeleteEndpoint {
    let host: MapHost

    func routes() -> [Route] {
        [
            Route(
                .post, "/api/v1/maps/{map}/delete", name: "delete", bodyLimit: DataAPI.maximumDocumentBytes
            ) { request, parameters in
                DataAPI.answer { () throws(APIProblem) in
                    let selection = try Selection(request.body)
                    let map = try host.declaredMap(DataAPI.name(parameters))
                    var line = JSONLine()
                    let result = try map.answering { map in
                        Result { () throws(APIProblem) in try delete(selection, from: map) }
                    }
                    line.add("deleted", try result.get())
                    return DataAPI.json(line.line())
                }
            }
        ]
    }

    private func delete(_ selection: Selection, from map: any InstrumentedMap) throws(APIProblem) -> Int {
        var deleted = 0
        do throws(DeletionRefused) {
            switch selection {
            case .prefix(let prefix): deleted = try map.deleteMatchingGuarded(prefix: prefix)
            case .keys(let keys): for key in keys where try map.deleteGuarded(key) { deleted += 1 }
            }
        } catch {
            // By keys each is a delete of its own, so the error does not know of those before.
            throw APIProblem(
                DeletionRefused(map: error.map, iterators: error.iterators, deleted: max(deleted, error.deleted)))
        }
        return deleted
    }

    /// Which entries a request means: `{"prefix":…}` or `{"keys":[…]}`, each also with `64` behind its name for base64.
    private enum Selection {
        case prefix([UInt8])
        case keys([[UInt8]])

        init(_ body: [UInt8]) throws(APIProblem) {
            do {
                let members = try JSONMembers(
                    JSONValue.parse(body), known: ["prefix", "prefix64", "keys", "keys64"])
                let prefix = try members.bytes("prefix")
                let plain = try members.byteList("keys", base64: false)
                let encoded = try members.byteList("keys64", base64: true)
                switch (prefix, plain == nil && encoded == nil) {
                case (let prefix?, true): self = .prefix(prefix)
                case (nil, false): self = .keys((plain ?? []) + (encoded ?? []))
                default: throw JSONProblem("give either \"prefix\" or \"keys\"")
                }
            } catch {
                throw .badRequest("\(error)")
            }
            if case .keys(let keys) = self {
                for key in keys { try DataAPI.checkKey(key) }
            }
        }
    }
}
