#!/usr/bin/env bash
# Fetches the official prebuilt libduckdb (npm package @duckdb/node-bindings-*) into a cache directory
# and prints that directory. Nothing is compiled; the archive and the library are checked against the
# SHA-256 sums below before use.
#
#   scripts/fetch-libduckdb.sh CACHE_DIR [LINK_DIR...]
#
# Each LINK_DIR gets a symlink to the library, because binaries look for it beside themselves ($ORIGIN).
set -euo pipefail

version=1.5.5-r.5
cache=${1:?usage: fetch-libduckdb.sh CACHE_DIR [LINK_DIR...]}
shift

case "$(uname -s)-$(uname -m)" in
  Linux-x86_64)  platform=linux-x64   library=libduckdb.so    sum=86d2bda909785550e8a14a57a8a4584827aff0e268d8f1a58c3fd48559f7020e ;;
  Linux-aarch64) platform=linux-arm64 library=libduckdb.so    sum=3b85f3ea438f7dc3691d7b5e6e4222ffe9127fd17885f96ca72e0c99925c348e ;;
  Darwin-arm64)  platform=darwin-arm64 library=libduckdb.dylib sum=08b3cfd7d4d620a5fb67ef49db28551b767107266af3a8e2600e49d99ee59456 ;;
  *) echo "error: no prebuilt libduckdb for $(uname -s) $(uname -m); build with --features duckdb-bundled" >&2; exit 1 ;;
esac

dir=$cache/libduckdb-$version-$platform
if [ ! -f "$dir/$library" ]; then
  command -v npm >/dev/null || { echo "error: npm is needed to fetch libduckdb; install it with: apt-get install npm" >&2; exit 1; }
  mkdir -p "$cache"
  tmp=$(mktemp -d "$cache/fetch.XXXXXX")
  trap 'rm -rf "$tmp"' EXIT
  (cd "$tmp" && npm pack --silent "@duckdb/node-bindings-$platform@$version" >/dev/null)
  archive=$(echo "$tmp"/*.tgz)
  echo "$sum  $archive" | sha256sum --check --status 2>/dev/null || echo "$sum  $archive" | shasum -a 256 --check --status || {
    echo "error: the libduckdb archive does not have the expected SHA-256 $sum; refusing to use it" >&2; exit 1; }
  tar -xzf "$archive" -C "$tmp"
  mv "$tmp/package" "$dir.new"
  rm -rf "$dir" && mv "$dir.new" "$dir"
fi
for link in "$@"; do
  mkdir -p "$link"
  ln -sfn "$dir/$library" "$link/$library"
done
echo "$dir"
