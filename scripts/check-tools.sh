#!/usr/bin/env bash
# Makes sure that the tools of a purpose are there: check-tools.sh build|test
# As root on Debian or Ubuntu, what `test` needs is installed; otherwise what is missing is named with the command that
# would install it. Nothing is skipped silently.
set -euo pipefail

missing=()
need() { # command, package
  command -v "$1" >/dev/null || missing+=("$2")
}

case "${1:?usage: check-tools.sh build|test}" in
  build)
    command -v cargo >/dev/null || { echo "error: cargo is missing; install Rust 1.95 or newer from https://rustup.rs" >&2; exit 1; }
    need cc gcc
    need npm npm
    need tar tar
    ;;
  test)
    need cc gcc
    need git git
    need python3 python3
    need strace strace
    need chromium chromium
    need oathtool oathtool
    need sqlite3 sqlite3
    need curl curl
    python3 -m pip --version >/dev/null 2>&1 || missing+=(python3-pip)
    ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing+=(postgresql)
    { command -v mariadbd || ls /usr/sbin/mariadbd; } >/dev/null 2>&1 || missing+=(mariadb-server)
    ;;
esac

[ ${#missing[@]} -eq 0 ] && exit 0
install="apt-get install -y ${missing[*]}"
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "installing ${missing[*]} from Debian's packages" >&2
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq >&2
  $install -qq >&2
else
  echo "error: ${missing[*]} missing; install with: sudo $install" >&2
  exit 1
fi
