import DataDocuments
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
                    let operations = try parse(request.body)
                    let map =
                        operations.contains(where: \.isPut) ? try host.writableMap(name) : try host.declaredMap(name)
                    return DataAPI.ndjson(apply(operations, to: map))
                }
            }
        ]
    }

    private func parse(_ body: [UInt8]) throws(APIProblem) -> [BatchOperation] {
        do { return try BatchOperation.parse(body) } catch { throw .badRequest("\(error)") }
    }

    /// Operations that the map is given at a time, so that no more than their values is held beside the answer.
    private static let operationsAtATime = 16

    private func apply(_ operations: [BatchOperation], to map: any InstrumentedMap) -> [UInt8] {
        var answer: [UInt8] = []
        var batch = MapBatch()
        for start in stride(from: 0, to: operations.count, by: BatchEndpoint.operationsAtATime) {
            batch.removeAll()
            for operation in operations[start...].prefix(BatchEndpoint.operationsAtATime) { operation.add(to: &batch) }
            map.performRefusingConflicts(&batch)
            for index in 0..<batch.count { answer += line(for: index, of: batch, in: map, answered: answer.count) }
        }
        return answer
    }

    private func line(
        for index: Int, of batch: borrowing MapBatch, in map: any InstrumentedMap, answered: Int
    ) -> [UInt8] {
        var line = JSONLine()
        line.add("status", batch.outcome(of: index).status)
        if let conflict = batch.conflict(of: index) { line.add("detail", "\(conflict)") }
        if batch.outcome(of: index) == .removalRefused { line.add("detail", "\(map.refusal())") }
        if let value = batch.value(of: index) {
            guard answered + value.count <= BatchEndpoint.maximumAnswerBytes else { return tooLong() }
            line.add("value", raw: value)
        }
        return line.line()
    }

    private func tooLong() -> [UInt8] {
        var line = JSONLine()
        line.add("status", 507)
        line.add("detail", "the answer would be over \(BatchEndpoint.maximumAnswerBytes) bytes; get fewer at once")
        return line.line()
    }
}

extension BatchOperation {
    fileprivate func add(to batch: inout MapBatch) {
        switch self {
        case .put(let key, let value, let seconds): batch.store(key.span, value.span, ttlSeconds: seconds)
        case .get(let key): batch.load(key.span)
        case .delete(let key): batch.delete(key.span)
        }
    }
}

extension MapBatch.Outcome {
    /// As the same operation by itself is answered.
    fileprivate var status: Int {
        switch self {
        case .found: 200
        case .absent: 404
        case .conflict: 409
        case .deleted, .stored(.updated): 204
        case .stored(.inserted): 201
        case .stored(.refused): 507
        case .removalRefused: 409
        }
    }
}
