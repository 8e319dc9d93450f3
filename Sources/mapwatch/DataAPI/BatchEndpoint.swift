import HTTPServer
import InstrumentedMaps

/// Many operations in one request, NDJSON in and out.
///
/// The body is parsed wholly before anything is applied, so a bad line changes nothing. The operations are applied in
/// order, each by itself: a batch saves round trips and is no transaction.
struct BatchEndpoint {
    let host: MapHost

    /// Small requests must not ask for endless answers: 8 MiB of gets could name 200 GB of values.
    static let maximumAnswerBytes = 64 << 20

    func routes() -> [Route] {
        [
            Route(.post, "/api/v1/maps/{map}/batch", name: "batch", bodyLimit: DataAPI.maximumDocumentBytes) {
                request, parameters in
                DataAPI.answer { () throws(APIProblem) in
                    let name = try DataAPI.name(parameters)
                    let operations = try BatchOperation.parse(request.body)
                    let map =
                        operations.contains(where: \.isPut) ? try host.writableMap(name) : try host.declaredMap(name)
                    return DataAPI.ndjson(apply(operations, to: map))
                }
            }
        ]
    }

    private func apply(_ operations: [BatchOperation], to map: any InstrumentedMap) -> [UInt8] {
        var answer: [UInt8] = []
        for operation in operations {
            var line = JSONLine()
            switch operation {
            case .put(let key, let value, let seconds):
                line.add("status", status(of: map.store(key, value, for: seconds)))
            case .delete(let key):
                line.add("status", map.delete(key) ? 204 : 404)
            case .get(let key):
                get(key, from: map, answered: answer.count, into: &line)
            }
            answer += line.line()
        }
        return answer
    }

    private func status(of outcome: StoreOutcome) -> Int {
        switch outcome {
        case .inserted: 201
        case .updated: 204
        case .refused: 507
        }
    }

    private func get(_ key: [UInt8], from map: any InstrumentedMap, answered: Int, into line: inout JSONLine) {
        guard let value = map.load(key) else {
            line.add("status", 404)
            return
        }
        guard answered + value.count <= BatchEndpoint.maximumAnswerBytes else {
            line.add("status", 507)
            line.add("detail", "the answer would be over \(BatchEndpoint.maximumAnswerBytes) bytes; get fewer at once")
            return
        }
        line.add("status", 200)
        line.add("value", raw: value)
    }
}
