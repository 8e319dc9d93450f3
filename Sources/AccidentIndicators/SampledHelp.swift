/// What HELP says of the series that the sampler remembers: /metrics shows them now, an incident's samples as they were.
package enum SampledHelp {
    package static let entries = "Entries now."
    package static let writes = "Completed writes (insert, update, delete); reads are not included."
    package static let deletes = "Deletes that found their key."
    package static let lockWait = "Ended waits for the lock, once per waiter."
    package static let inserts = "Writes that added a key."
    package static let updates = "Writes that replaced a value."
    package static let deletesDuringIteration = "Deletes that found their key while an iterator on the map was open."
    /// The articles' own words.
    package static let size = "Current approximate memory footprint of managed map"
    package static let lockAcquired = "Times that the shard's lock was taken."
    package static let lockContended = "Times that the first try to take the lock failed."
    package static let deleteRatio = "Deletes among writes over 60 s; 0 without writes."
    package static let sizeMutationRatio =
        "Change of the map's mem_map_size_bytes over 15 s, against its size before."
}
