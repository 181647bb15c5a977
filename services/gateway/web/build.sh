#!/usr/bin/env bash
# Builds the live map into dist/ unless dist/ is newer than all of its sources. With --check, builds nothing
# and exits with 0 if dist/ is up to date.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."

web=services/gateway/web
sources=(package-lock.json proto "$web"/{src,public,index.html,package.json,tsconfig.json}
  "$web"/{vite.config.ts,buf.gen.yaml})

is_fresh() {
  [[ -f $web/dist/index.html ]] &&
    [[ -z $(find "${sources[@]}" -path "$web/src/gen" -prune -o \
      -type f -newer "$web/dist/index.html" -print -quit) ]]
}

if is_fresh; then exit 0; fi
[[ ${1:-} != --check ]] || exit 1
.ci/npm-packages
npm run --silent build -w "$web" -- --logLevel warn
