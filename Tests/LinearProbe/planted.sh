#!/bin/sh
# Plants faults one by one and shows that the linear probe finds each. A checker that has never found anything proves
# nothing.
#
#     Tests/LinearProbe/planted.sh
#     Tests/LinearProbe/planted.sh --lines     only: do the lines still stand in the sources?
#
# Three kinds: guards that let somebody in whom they should not, and wrappers that use a sound map wrongly (both in
# Tests/LinearWorkload/Planted, listed by `linear-probe --planted list`); and faults inside the engine, listed below as
# the line that is changed. Those live in a copy of the sources, all in one build, and MAPWATCH_PLANTED chooses: the
# sources themselves have no switches.
#
# A fault counts as found when the probe ends by itself and says what is wrong (status 1): a history without an order, a
# counter that is not the ledger's, or an answer about a key that one thread has to itself ("churn"). A corrupted table
# may crash first, which is no finding: then the next seed has its turn, up to $attempts of them.
set -eu
cd "$(dirname "$0")/../.."
attempts=60
copy=.build-planted/package

# With its crash handler on, a crash takes seconds.
export SWIFT_BACKTRACE=enable=no

log=$(mktemp)
trap 'rm -f "$log"' EXIT

fail() {
    echo "linear-probe: $1" >&2
    exit 1
}

# --- The faults inside the engine -------------------------------------------------------------------------------------

engine_faults=0

# plant FILE LINE FAULT: in the copy, puts FAULT in the place of LINE, which must stand in FILE exactly once. In FAULT,
# ON is true when this fault is the one that is chosen.
plant() {
    engine_faults=$((engine_faults + 1))
    NUMBER=$engine_faults perl -0pi -e '
        BEGIN { ($line, $fault) = splice(@ARGV, 0, 2); $fault =~ s/\bON\b/(planted == $ENV{NUMBER})/g }
        $count = s/\Q$line\E/$fault/g;
        END { exit($count == 1 ? 0 : 1) }
    ' "$2" "$3" "$copy/Sources/$1" || fail "this line does not stand in $1 exactly once: $2"
}

# plant_same FILE LINE FAULT: as plant, for another line of the fault that was planted last.
plant_same() {
    engine_faults=$((engine_faults - 1))
    plant "$@"
}

plant_all() {
    for module in Instruments InstrumentedMaps; do
        cat >"$copy/Sources/$module/Planted.swift" <<'END'
import Glibc

/// The number of the planted fault; 0 is none.
@usableFromInline let planted = unsafe getenv("MAPWATCH_PLANTED").flatMap { unsafe Int(String(cString: $0)) } ?? 0
END
    done
    # 1: growth: the last key that was moved is looked for where it was.
    plant InstrumentedMaps/Table/HashIndex.swift \
        'boundary = UInt64(place) + 1' 'boundary = UInt64(place) + (ON ? 0 : 1)'
    # 2: growth: one slot in 60 is passed over.
    plant InstrumentedMaps/Table/HashIndex.swift \
        'if word != 0 {' 'if word != 0, !(ON && visited == 59) {'
    # 3: growth: a search begins among the slots that are emptied already.
    plant InstrumentedMaps/Table/HashIndex.swift \
        'max(current.home(place), cursor)' 'max(current.home(place), ON ? 0 : cursor)'
    # 4: delete: the rest of a run is shifted back one word too far.
    plant InstrumentedMaps/Table/IndexArray.swift \
        'home(IndexArray.place(following)) > offset {' \
        'home(IndexArray.place(following)) > offset + (ON ? 1 : 0) {'
    # 5: insert: the last word of a run is not shifted, but lost.
    plant InstrumentedMaps/Table/IndexArray.swift \
        'if displaced == 0 { break }' 'if unsafe displaced == 0 || (ON && slot[1] == 0) { break }'
    # 6: compaction: the index is not told that a record has moved.
    plant InstrumentedMaps/Table/ByteTable.swift \
        'index.replace(index.position(of: old, unsafe record.place), with: new, writes)' \
        'if !ON { index.replace(index.position(of: old, unsafe record.place), with: new, writes) }'
    # 7: store: the slot keeps the last bytes of the value before.
    plant InstrumentedMaps/Table/Record.swift \
        'unsafe copy(value, to: offset)' 'unsafe copy(ON && value.count > 8 ? value.extracting(..<8) : value, to: offset)'
    # 8: a live walk leaves out the last shard.
    plant InstrumentedMaps/Iteration/LiveIterator.swift \
        'position.shard < map.options.shards {' 'position.shard < map.options.shards - (ON ? 1 : 0) {'
    # 9: a sweep counts a key that somebody else has deleted.
    plant InstrumentedMaps/ByteMap.swift \
        'return shards[index].delete(slice, watch)' \
        'return shards[index].delete(slice, watch).map { max($0, ON ? slice.count : 0) }'
    # 10: an update is counted as an insert.
    plant InstrumentedMaps/Shards/Shard.swift 'case .updated: writes.updates.addExclusively()' \
        'case .updated: if ON { writes.inserts.addExclusively() } else { writes.updates.addExclusively() }'
    # 11: readers that share a lock bump their counters as if they were alone.
    plant InstrumentedMaps/Shards/Shard.swift 'if shardGuard.readersShare {' 'if shardGuard.readersShare, !ON {'
    # 12: a waiter that sees the lock free goes in without taking it.
    plant Instruments/ShardLock.swift \
        '== ShardLock.free, take(desired).exchanged { return }' \
        '== ShardLock.free, ON || take(desired).exchanged { return }'
    # 13: optimistic reads: the version stays even while the table is changed.
    plant InstrumentedMaps/Table/PublishedTable.swift \
        'func beginChange() { unsafe version.pointee.store(versionNow &+ 1, ordering: .releasing) }' \
        'func beginChange() { unsafe version.pointee.store(versionNow &+ (ON ? 2 : 1), ordering: .releasing) }'
    plant_same InstrumentedMaps/Table/PublishedTable.swift \
        'show(view)
        unsafe version.pointee.store(versionNow &+ 1, ordering: .releasing)' \
        'show(view)
        unsafe version.pointee.store(versionNow &+ (ON ? 0 : 1), ordering: .releasing)'
    # 14: optimistic reads: the version is not looked at again after the copy.
    plant InstrumentedMaps/Table/PublishedTable.swift \
        'return unsafe get(version) == before ? .found(value)' \
        'return unsafe get(version) == before || ON ? .found(value)'
    # 15: optimistic reads: a search begins among the slots that are emptied already.
    plant InstrumentedMaps/Table/PublishedTable.swift \
        'slot = unsafe max(slot, Int(truncatingIfNeeded: get(cursor)))' \
        'slot = unsafe max(slot, ON ? 0 : Int(truncatingIfNeeded: get(cursor)))'
    # 16: optimistic reads: readers begin where the table was before it began to grow.
    plant InstrumentedMaps/Table/PublishedTable.swift \
        'set(boundary, view.boundary)' 'set(boundary, ON ? 0 : view.boundary)'
    # 17: optimistic reads: a look in vain is counted as a load.
    plant InstrumentedMaps/Strategies/OptimisticStrategy.swift \
        'reads.countRetry(slot)' 'if ON { reads.countMiss(slot) } else { reads.countRetry(slot) }'
    # 18: straight way: it looks into the one array while the index moves to another.
    plant InstrumentedMaps/Table/HashIndex.swift \
        'words: isMoving ? nil : current.words' 'words: isMoving && !ON ? nil : current.words'
    # 19: straight way: a lock that is taken is not waited for.
    plant InstrumentedMaps/Strategies/ShardedStrategy.swift \
        'lock.lock(as: access, found: found) }' 'if !ON { lock.lock(as: access, found: found) } }'
    # 20: straight way: nobody looks whether the lock was free.
    plant Instruments/ShardLock.swift \
        'if _slowPath(!first.exchanged) { return first.original }' \
        'if _slowPath(!first.exchanged), !ON { return first.original }'
    # 21: straight way: a value of another length keeps the length of the one before.
    plant InstrumentedMaps/ByteMap+Straight.swift \
        'guard lengths.valueCount == value.count else' 'guard lengths.valueCount == value.count || ON else'
    # 22: straight way: an update says that it is done, and is not.
    plant InstrumentedMaps/ByteMap+Straight.swift \
        'unsafe record.writeValue(value, keyCount: short.count)' \
        'if !ON { unsafe record.writeValue(value, keyCount: short.count) }'
    # 23: straight way: an insert is counted as an update.
    plant InstrumentedMaps/ByteMap+Straight.swift \
        'shard.pointee.count(.inserted)' 'shard.pointee.count(ON ? .updated : .inserted)'
}

# How to run the engine fault of that number.
subject() {
    case $1 in
    11) echo "--strategy rwlock --round 20000" ;;
    12 | 19 | 20) echo "--strategy sharded --calm --round 1000" ;;
    13 | 14 | 15 | 16 | 17) echo "--strategy optimistic --round 20000" ;;
    *) echo "--strategy sharded --round 20000" ;;
    esac
}

# --- Finding them -----------------------------------------------------------------------------------------------------

planted=0
caught=0

# hunt NAME OPTION…: runs the probe until it says what is wrong, and prints the first of it.
hunt() {
    name=$1
    shift
    planted=$((planted + 1))
    crashes=0
    for seed in $(seq "$attempts"); do
        status=0
        timeout 20 "$probe" "$@" --operations 1000000 --seed "$seed" >"$log" 2>&1 || status=$?
        if [ "$status" -eq 1 ]; then
            caught=$((caught + 1))
            what=$(head -n 1 "$log" | cut -d : -f 3-)
            echo "$name: found at seed $seed after $crashes crashes:$what"
            return
        fi
        if [ "$status" -eq 2 ]; then fail "$name could not be run: $(cat "$log")"; fi
        if [ "$status" -ne 0 ]; then crashes=$((crashes + 1)); fi
    done
    echo "$name: NOT found with $attempts seeds, $crashes of which crashed"
}

mkdir -p "$copy"
rm -rf "$copy/Sources" "$copy/Tests"
cp -a Package.swift Sources Tests "$copy"
plant_all
if [ "${1-}" = --lines ]; then
    echo "linear-probe: $engine_faults faults can still be planted"
    exit
fi
swift build -c release --package-path "$copy" --scratch-path .build-planted --product linear-probe
probe=$(swift build -c release --package-path "$copy" --scratch-path .build-planted --show-bin-path)/linear-probe

# Nothing planted, nothing found.
"$probe" --strategy all --operations 200000 --round 20000 || fail "the strategies themselves did not pass"
for fault in $("$probe" --planted list); do
    hunt "$fault" --planted "$fault"
done
for number in $(seq "$engine_faults"); do
    export MAPWATCH_PLANTED="$number"
    # shellcheck disable=SC2046
    hunt "engine fault $number" $(subject "$number")
done

echo "linear-probe: $planted planted faults, $caught caught"
[ "$caught" -eq "$planted" ]
