#!/usr/bin/env bash
# Measures Dango beside its peers in one run and prints ratios: bench/run.sh [ROW...]
# Rows: start csv1m csv5m postgres rest (default all). Needs the release binary (`make bench` builds it), PostgreSQL from
# Debian and PyPI for the peers. Works in $DANGO_BUILD_CACHE/bench (about 6 GB) and leaves nothing running.
set -euo pipefail
cd "$(dirname "$0")"
work=${DANGO_BUILD_CACHE:?run it with make bench}/bench
mkdir -p "$work"

venv() { # name, packages
  [ -x "$work/$1/bin/python" ] && return
  echo "installing $1 (${*:2})" >&2
  python3 -m venv "$work/$1"
  "$work/$1/bin/pip" install --quiet "${@:2}" >&2
}
venv duckdb 'duckdb==1.5.5'
venv dlt 'dlt[duckdb]==1.28.2' 'duckdb==1.5.5' pyarrow 'sqlalchemy<2.1' psycopg2-binary
venv getdango 'getdango==1.0.13' psycopg2-binary 'sqlalchemy<2.1'

exec "$work/duckdb/bin/python" run.py "$work" "$@"
