#!/usr/bin/env bash
# What can be said of deploy/ and the Dockerfile without systemd and without an engine. Arguments: hadolint and
# check-jsonschema, which brings the schema of the Compose specification.
set -euo pipefail
cd "$(dirname "$0")/../.."
hadolint=${1:?usage: Tests/Deploy/check.sh HADOLINT CHECK_JSONSCHEMA}
schema=${2:?usage: Tests/Deploy/check.sh HADOLINT CHECK_JSONSCHEMA}

"$hadolint" Dockerfile
echo "Dockerfile: hadolint has nothing to say"

said=$("$schema" --builtin-schema vendor.compose-spec deploy/compose.yaml 2>&1) || { echo "$said"; exit 1; }
echo "deploy/compose.yaml: as the Compose specification has it"

# systemd looks for the program, which is installed where the unit is.
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
sed 's#/usr/local/bin/mapwatch#/bin/true#' deploy/mapwatch.service > "$folder/mapwatch.service"
# It exits 0 on keys that it does not know, and says so.
said=$(systemd-analyze verify "$folder/mapwatch.service" 2>&1 || true)
[ -z "$said" ] || { echo "deploy/mapwatch.service: $said"; exit 1; }
systemd-analyze security --offline=true --threshold=20 "$folder/mapwatch.service" > "$folder/security" ||
    { cat "$folder/security"; exit 1; }
echo "deploy/mapwatch.service: $(tail -1 "$folder/security" | sed 's/^[^A-Za-z]*//; s/ [^ ]*$//')"

# The flags that image, unit and compose file hand over are flags of the program.
for flag in $(grep -hv '^ *#' Dockerfile deploy/compose.yaml deploy/mapwatch.service |
    grep -oE -- '--(web|data|storage|config|log)\.[a-z.-]+' | sort -u); do
    grep -qE "\"${flag#--}\"" Sources/mapwatch/Commands/*.swift || { echo "$flag is no flag of the program"; exit 1; }
done
echo "flags in Dockerfile, compose.yaml and mapwatch.service: known"
