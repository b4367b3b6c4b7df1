#!/usr/bin/env bash
# Drives the pages with a real browser: e2e.sh DANGO. Each file of scenarios starts a server of its own on a free port.
# SCREENSHOTS=1 keeps pictures in web/e2e/screenshots: light, dark and narrow.
set -euo pipefail
DANGO=$(realpath "${1:?usage: e2e.sh path/to/dango}")
CHROMIUM=${CHROMIUM:-$(command -v chromium || command -v google-chrome)}
export DANGO CHROMIUM
cd "$(dirname "$0")/../web"
npm run --silent e2e
