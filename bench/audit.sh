#!/usr/bin/env bash
# Measures appends to the audit log beside one fsync per event, in one run on one disk: bench/audit.sh [CARGO PROFILE]
# Run it with `eval "$(make -s env)"` first. It works in crates/store and leaves nothing behind.
set -euo pipefail
cd "$(dirname "$0")/../crates/store"
exec cargo bench --quiet --locked --bench audit --profile "${1:-bench}"
