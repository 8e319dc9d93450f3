import CZlib
import HTTPServer
import TestSupport
import Testing

@Suite("Gzip")
struct GzipTests {
    /// What zlib reads back from one gzip member.
    private func inflated(_ bytes: [UInt8], upTo bound: Int) -> [UInt8]? {
        var stream = unsafe z_stream()
        var (input, output) = (bytes, [UInt8](repeating: 0, count: bound + 1))
        // Safety: both arrays are as long as the stream is told, and are used within the closures only.
        return unsafe input.withUnsafeMutableBufferPointer { source in
            unsafe output.withUnsafeMutableBufferPointer { target in
                unsafe stream.next_in = source.baseAddress
                unsafe stream.avail_in = UInt32(source.count)
                unsafe stream.next_out = target.baseAddress
                unsafe stream.avail_out = UInt32(target.count)
                guard unsafe inflateInit2_(&stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
                else { return nil }
                defer { unsafe _ = inflateEnd(&stream) }
                guard unsafe inflate(&stream, Z_FINISH) == Z_STREAM_END else { return nil }
                return unsafe Array(target.prefix(Int(stream.total_out)))
            }
        }
    }

    @Test("what is compressed is read back, be it empty, repetitive or random")
    func readsBack() throws {
        var generator = SeededGenerator(seed: TestSeed.value)
        let random = (0..<200_000).map { _ in UInt8.random(in: 0...255, using: &generator) }
        let line = Array("map_entries{map_name=\"orders\",shard_id=\"007\"} 17\n".utf8)
        let repetitive = Array(repeatElement(line, count: 5_000).joined())
        for bytes in [[], [0], random, repetitive] {
            let compressed = try #require(Gzip.compress(bytes))
            #expect(inflated(compressed, upTo: bytes.count) == bytes, "\(TestSeed.note)")
        }
        #expect(try #require(Gzip.compress(repetitive)).count < repetitive.count / 50)
    }
}
