#!/usr/bin/env bash
# Everything CI runs, cheapest refusal first. Called by `make test`, which sets the build variables.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n== %s\n' "$*"; }

step format
cargo fmt --all --check

step lints
cargo clippy --workspace --all-targets --locked -- -D warnings
cargo clippy --locked -p dango --test soak -- -D warnings

step what tests fetch
DANGO_TEST_DATA=$(scripts/test-data.sh "$DANGO_BUILD_CACHE")
export DANGO_TEST_DATA
DANGO_TEST_PYJWT=$(scripts/pyjwt.sh "$DANGO_BUILD_CACHE")
export DANGO_TEST_PYJWT

step tests
cargo test --workspace --locked --lib --bins --tests
cargo test --workspace --locked --doc

step pages
(cd web && npm run --silent check)
cargo build --locked --bin dango
scripts/e2e.sh "$CARGO_TARGET_DIR/debug/dango"

step "the document and the server"
scripts/schemathesis.sh "$DANGO_BUILD_CACHE" "$CARGO_TARGET_DIR/debug/dango" 6

step documentation
RUSTDOCFLAGS="-D warnings" cargo doc --workspace --locked --no-deps --quiet

step "crash campaign, a share of make soak"
SOAK_SHARE=${SOAK_SHARE:-5} scripts/soak.sh
