#!/usr/bin/env bash
# Sends what openapi.json allows, and what it does not, to a server of a project made for it, as each role: no 5xx, and no answer
# the document does not describe: scripts/schemathesis.sh CACHE_DIR DANGO [EXAMPLES]. Schemathesis comes from PyPI into the cache.
set -euo pipefail
cache=${1:?usage: schemathesis.sh CACHE_DIR DANGO [EXAMPLES]}
dango=${2:?usage: schemathesis.sh CACHE_DIR DANGO [EXAMPLES]}
examples=${3:-20}
seed=${SCHEMATHESIS_SEED:-1}
root=$(cd "$(dirname "$0")/.." && pwd)
version=4.32.5
tool=$cache/schemathesis-$version
if [ ! -x "$tool/bin/schemathesis" ]; then
  # Beside its final place: a run that was killed leaves nothing that a later one finds.
  rm -rf "$tool.new"
  python3 -m venv "$tool.new"
  "$tool.new/bin/pip" install --quiet "schemathesis==$version" >&2
  # Its scripts name the folder they were made in.
  grep -rlZ "$tool.new" "$tool.new/bin" | xargs -0 sed -i "s|$tool.new|$tool|g"
  mv "$tool.new" "$tool"
fi
schemathesis=$tool/bin/schemathesis
work=$(mktemp -d)
# Its own notes go with the project.
cd "$work"
trap '"$dango" --project "$work" stop >/dev/null 2>&1 || true; rm -rf "$work"' EXIT
"$dango" init --no-input >/dev/null 2>&1
cat > "$work/.dango/project.yml" <<'YML'
auth: {rate_limit: {enabled: false}}
YML
port=$((20000 + RANDOM % 20000))
export DAP_ENGINE_PORT=$port
password=$(head -c 24 /dev/urandom | base64)
"$dango" --project "$work" start --no-browser --port 0 >/dev/null
for role in admin editor viewer; do
  link=$("$dango" --project "$work" user add "$role@example.com" --role "$role" 2>/dev/null | tail -1)
  curl -sf -o /dev/null "http://127.0.0.1:$port/auth/accept-invite" -H 'content-type: application/json' \
    -d "{\"token\": \"${link##*/}\", \"password\": \"$password\"}"
done
failed=0
for role in admin editor viewer session; do
  if [ "$role" = session ]; then
    # Tokens do not reach everything.
    token=$(curl -sf "http://127.0.0.1:$port/auth/jwt/login" --data-urlencode username=viewer@example.com \
      --data-urlencode "password=$password" | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
  else
    token=$("$dango" --project "$work" token create check --as "$role@example.com" 2>/dev/null | tail -1)
  fi
  echo "== $role"
  "$schemathesis" run "$root/openapi.json" --url "http://127.0.0.1:$port" \
    --header "Authorization: Bearer $token" --max-examples "$examples" --seed "$seed" --phases fuzzing,coverage \
    --checks not_a_server_error,status_code_conformance,response_schema_conformance,content_type_conformance \
    --exclude-path-regex '/operator/|/auth/logout|/auth/jwt/logout|/events$' || failed=1
done
exit $failed
