#!/usr/bin/env bash
# Fetches the official prebuilt libduckdb (npm package @duckdb/node-bindings-*) into a cache directory
# and prints that directory. Nothing is compiled. The archive is checked against its SHA-256 before it is unpacked, and the
# library against its own whenever it is used: what lies in a cache may have been damaged since.
#
#   scripts/fetch-libduckdb.sh CACHE_DIR [LINK_DIR...]
#
# Each LINK_DIR gets a symlink to the library, because binaries look for it beside themselves ($ORIGIN).
set -euo pipefail

version=1.5.5-r.5
cache=${1:?usage: fetch-libduckdb.sh CACHE_DIR [LINK_DIR...]}
shift

case "$(uname -s)-$(uname -m)" in
  Linux-x86_64)
    platform=linux-x64 library=libduckdb.so
    archive_sum=86d2bda909785550e8a14a57a8a4584827aff0e268d8f1a58c3fd48559f7020e
    library_sum=fc23f12e376c47be520f75221288281906e7942e8fd6f6ce4849198ba60d0405 ;;
  Linux-aarch64)
    platform=linux-arm64 library=libduckdb.so
    archive_sum=3b85f3ea438f7dc3691d7b5e6e4222ffe9127fd17885f96ca72e0c99925c348e
    library_sum=d00d007f3f7ca1f2896a5e4b89c2ce141bf0508506a9d6d56f9598b8e59d074e ;;
  Darwin-arm64)
    platform=darwin-arm64 library=libduckdb.dylib
    archive_sum=08b3cfd7d4d620a5fb67ef49db28551b767107266af3a8e2600e49d99ee59456
    library_sum=b9027d18ef3e8d960568f77e946a83ca68009cb22d71cf7f94de842afdd094d8 ;;
  *) echo "error: no prebuilt libduckdb for $(uname -s) $(uname -m); build with --features duckdb-bundled" >&2; exit 1 ;;
esac

has_sum() { # file, sum
  if command -v sha256sum >/dev/null; then
    echo "$2  $1" | sha256sum --check --status 2>/dev/null
  else
    echo "$2  $1" | shasum -a 256 --check --status 2>/dev/null
  fi
}

dir=$cache/libduckdb-$version-$platform
if ! has_sum "$dir/$library" "$library_sum"; then
  [ ! -e "$dir/$library" ] || echo "the library in $dir is damaged; fetching it again" >&2
  command -v npm >/dev/null || { echo "error: npm is needed to fetch libduckdb; install it with: apt-get install npm" >&2; exit 1; }
  mkdir -p "$cache"
  # Beside its final place, so that one rename puts it there; a run that was killed leaves nothing that a later one finds.
  tmp=$(mktemp -d "$cache/fetch.XXXXXX")
  trap 'rm -rf "$tmp"' EXIT
  (cd "$tmp" && npm pack --silent "@duckdb/node-bindings-$platform@$version" >/dev/null)
  archive=$(echo "$tmp"/*.tgz)
  has_sum "$archive" "$archive_sum" || {
    echo "error: the libduckdb archive does not have the expected SHA-256 $archive_sum; refusing to use it" >&2; exit 1; }
  tar -xzf "$archive" -C "$tmp"
  has_sum "$tmp/package/$library" "$library_sum" || {
    echo "error: $library does not have the expected SHA-256 $library_sum; refusing to use it" >&2; exit 1; }
  rm -rf "$dir"
  mv "$tmp/package" "$dir"
fi
for link in "$@"; do
  mkdir -p "$link"
  ln -sfn "$dir/$library" "$link/$library"
done
echo "$dir"
