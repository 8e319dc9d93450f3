/// What came of opening a recorder: it may be there or not, the previous run may have left evidence or not.
///
/// Nothing here fails: what goes wrong is in `problems`, and whoever serves goes on without a recorder.
public struct RecorderOpening: Sendable {
    /// nil when nothing can be recorded; `problems` say why.
    public let recorder: FlightRecorder?
    /// What is left of the run before, if it did not end in order.
    public let previousRun: PreviousRun?
    public let problems: [RecorderProblem]

    /// Reads `DIRECTORY/recorder` of the run before, then begins a new one. A file that cannot be read is moved to
    /// `recorder.unreadable`; one whose room cannot be taken (a full disk) leaves the old file where it was.
    public init(directory path: String, bytes: Int = FlightRecorder.defaultBytes, clocks: RecorderClocks) {
        var problems: [RecorderProblem] = []
        var previousRun: PreviousRun?
        var recorder: FlightRecorder?
        do throws(RecorderProblem) {
            let directory = try StorageDirectory(path)
            previousRun = RecorderOpening.readPrevious(directory, &problems)
            do throws(RecorderProblem) {
                recorder = try FlightRecorder(directory, bytes: bytes, clocks: clocks)
            } catch {
                directory.close()
                throw error
            }
        } catch {
            problems.append(error)
        }
        self.recorder = recorder
        self.previousRun = previousRun
        self.problems = problems
    }

    private static func readPrevious(
        _ directory: StorageDirectory, _ problems: inout [RecorderProblem]
    ) -> PreviousRun? {
        do throws(RecorderProblem) {
            guard let (words, bytes) = try RecordingFile.read(directory.recording) else { return nil }
            let recording = try Recording(words[...], bytes: bytes, path: directory.recording)
            problems += recording.problems
            guard !recording.endedInOrder else { return nil }
            return PreviousRun(
                startedAt: recording.header.startedAt,
                lastOperationAt: recording.maps.values.compactMap(\.last).map(\.timeNanosecondsSince1970).max() ?? 0,
                operations: recording.maps)
        } catch {
            problems.append(error)
            putAside(directory, &problems)
            return nil
        }
    }

    private static func putAside(_ directory: StorageDirectory, _ problems: inout [RecorderProblem]) {
        do throws(RecorderProblem) {
            try directory.rename(directory.recording, to: directory.unreadable)
            problems.append(.putAside(path: directory.recording, to: directory.unreadable))
        } catch {
            problems.append(error)
        }
    }
}
