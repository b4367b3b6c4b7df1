#!/usr/bin/env bash
# Installs the binary with libduckdb beside it: install.sh BINARY LIBRARY_DIR PREFIX
set -euo pipefail
binary=$1 library=$2 prefix=$3
install -d "$prefix/lib/dango" "$prefix/bin"
install -m 0755 "$binary" "$prefix/lib/dango/dango"
install -m 0644 "$library"/libduckdb.* "$prefix/lib/dango/"
ln -sfn ../lib/dango/dango "$prefix/bin/dango"
echo "installed $prefix/bin/dango"
