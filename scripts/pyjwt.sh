#!/usr/bin/env bash
# Fetches PyJWT (PyPI, MIT), with which tests read and forge sessions, into a cache directory and prints the wheel, which Python
# imports as it is: PYTHONPATH=$(scripts/pyjwt.sh CACHE_DIR).
set -euo pipefail
cache=${1:?usage: pyjwt.sh CACHE_DIR}
wheel=pyjwt-2.15.1-py3-none-any.whl
sum=42d59d631f7768a1028a64c7ff581a9bf7519804daf91fc5b6c56e30eec5e193
if [ ! -f "$cache/python/$wheel" ]; then
  mkdir -p "$cache/python"
  # Beside its final place, so that one rename puts it there; a run that was killed leaves nothing that a later one finds.
  tmp=$(mktemp -d "$cache/python/fetch.XXXXXX")
  trap 'rm -rf "$tmp"' EXIT
  echo "pyjwt==2.15.1 --hash=sha256:$sum" > "$tmp/requirements.txt"
  python3 -m pip download --quiet --no-deps --only-binary :all: --require-hashes \
    --requirement "$tmp/requirements.txt" --dest "$tmp" >&2
  mv "$tmp/$wheel" "$cache/python/$wheel"
fi
echo "$cache/python/$wheel"
