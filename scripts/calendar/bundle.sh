#!/bin/sh
# Make skileez/web/static/vendor/fullcalendar.* anew (needs Node 20 and npm; nothing else does).
# The versions are those of package.json; what comes out is committed, byte for byte the same.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
vendor="$here/../../skileez/web/static/vendor"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$here/package.json" "$here/entry.js" "$work"
cd "$work"
npm install --no-audit --no-fund --no-package-lock --loglevel=error
npx esbuild entry.js --bundle --minify --format=iife --global-name=FullCalendar --target=es2022 \
  --charset=utf8 --legal-comments=none --log-level=warning --outfile="$vendor/fullcalendar.min.js"
npx esbuild node_modules/fullcalendar/skeleton.css --minify --log-level=warning \
  --outfile="$vendor/fullcalendar.min.css"
{
  echo "fullcalendar.min.js and fullcalendar.min.css are made by scripts/calendar/bundle.sh of:"
  for name in fullcalendar @fullcalendar/core @full-ui/headless-calendar preact temporal-polyfill temporal-utils
  do
    version=$(node -p "require('./node_modules/$name/package.json').version")
    printf '\n%s %s\n\n' "$name" "$version"
    cat "node_modules/$name"/LICENSE*
  done
} > "$vendor/fullcalendar.LICENSE.txt"
