#!/usr/bin/env bash
# Builds the documentation of every library and of the daemon into the folder $1; a warning is an error.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=${1:?usage: Tests/Documentation/build.sh FOLDER}
mkdir -p "$out"
swift package dump-symbol-graph --minimum-access-level public --skip-synthesized-members > "$out/symbols.log" 2>&1 ||
    { cat "$out/symbols.log"; exit 1; }
symbols=$(swift build --show-bin-path)/../symbolgraph

convert() { # NAME CATALOGUE SYMBOLS
    docc convert "$2" --additional-symbol-graph-dir "$3" --fallback-display-name "$1" \
        --fallback-bundle-identifier "mapwatch.$1" --warnings-as-errors --output-path "$out/$1"
    echo "$1: $out/$1"
}

empty=$(mktemp -d)
trap 'rm -rf "$empty"' EXIT
mkdir "$empty/none"
convert mapwatch Sources/mapwatch/Documentation.docc "$empty/none"
for library in Instruments InstrumentedMaps AccidentIndicators Exposition Collectors HTTPServer MapwatchServer \
    MapwatchMetrics FlightRecorder Incidents Scenarios; do
    [ -d "Sources/$library" ] || continue
    mkdir -p "$empty/$library.symbols" "$empty/$library.docc"
    cp "$symbols/$library".symbols.json "$empty/$library.symbols/"
    cp "$symbols/$library"@*.symbols.json "$empty/$library.symbols/" 2> /dev/null || true
    catalogue="Sources/$library/$library.docc"
    [ -d "$catalogue" ] || catalogue="$empty/$library.docc"
    convert "$library" "$catalogue" "$empty/$library.symbols"
done
