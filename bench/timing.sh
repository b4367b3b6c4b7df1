#!/usr/bin/env bash
# Measures whether the time of an answer tells what nobody should learn: bench/timing.sh. Needs the release binary; the result is
# bench/timing.md. Loopback only.
set -euo pipefail
cd "$(dirname "$0")"
work=${DANGO_BUILD_CACHE:?run it with make bench}/bench
mkdir -p "$work"
exec python3 timing.py "$work"
