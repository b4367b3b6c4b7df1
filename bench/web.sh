#!/usr/bin/env bash
# Measures the server beside getdango's in one run: bench/web.sh. Needs the release binary, wrk from Debian and PyPI for the
# peer; works in $DANGO_BUILD_CACHE/bench and leaves nothing running. The result is bench/web.md.
set -euo pipefail
cd "$(dirname "$0")"
work=${DANGO_BUILD_CACHE:?run it with make bench}/bench
mkdir -p "$work"
command -v wrk > /dev/null || apt-get install -y -qq wrk > /dev/null
if [ ! -x "$work/getdango/bin/python" ]; then
  python3 -m venv "$work/getdango"
  "$work/getdango/bin/pip" install --quiet 'getdango==1.0.13' psycopg2-binary 'sqlalchemy<2.1' >&2
fi
exec python3 web.py "$work"
