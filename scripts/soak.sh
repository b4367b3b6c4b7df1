#!/usr/bin/env bash
# The crash campaigns: every kind of source is killed, resumed and compared with an undisturbed sync; and a server is killed
# while people sign in, make tokens, change roles and are refused, and compared with what they were told.
#   SOAK_SHARE   percent of the full campaign (default 100: every fault point and 200 kills for each kind)
#   SOAK_SEED    default: the day
#   SOAK_KINDS   default: files postgres mysql rest identity identity-postgres
# A full campaign writes its results to bench/soak/KIND.json.
set -euo pipefail
cd "$(dirname "$0")/.."

share=${SOAK_SHARE:-100}
seed=${SOAK_SEED:-$(($(date +%s) / 86400))}
kinds=${SOAK_KINDS:-files postgres mysql rest identity identity-postgres}

cargo test --locked -p dango --test soak --no-run --quiet
# A copy, so that nobody who builds meanwhile changes what is being tried.
trial=$(mktemp -d)
trap 'rm -rf "$trial"' EXIT
cp -L "${CARGO_TARGET_DIR:-target}"/debug/{dango,libduckdb.so} "$trial/"
export DANGO_SOAK_BINARY=$trial/dango

play() { # kind
  local report=()
  [ "$share" -ge 100 ] && report=(--report "$PWD/bench/soak/$1.json")
  cargo test --locked --quiet -p dango --test soak -- --kind "$1" --share "$share" --seed "$seed" "${report[@]}"
}
export -f play
export share seed
# Two at a time: a sync waits as much as it computes.
printf '%s\n' $kinds | xargs -P 2 -I{} bash -euo pipefail -c 'play {}'
