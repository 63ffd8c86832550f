#!/usr/bin/env bash
# Tests the packed package in an app: it registers a user, and the README and an example compile against its types.
set -euo pipefail
root=$PWD
npm run --silent build
app=$(mktemp -d)
trap 'rm -rf "$app"' EXIT
tarball=$(npm pack --silent --ignore-scripts --pack-destination "$app")
mkdir -p "$app/node_modules/fastify-rest-auth"
tar -xzf "$app/$tarball" -C "$app/node_modules/fastify-rest-auth" --strip-components=1
# Its dependencies are those already installed; only the package itself must be the packed one.
for entry in "$root"/node_modules/*; do
  [ "$(basename "$entry")" = fastify-rest-auth ] || ln -sfn "$entry" "$app/node_modules/$(basename "$entry")"
done
cp .ci/published.mjs "$app/app.mjs"
awk '/^import Fastify/ { on = 1 } /^```/ { on = 0 } on' README.md > "$app/readme.mts"
cp -r "$app/node_modules/fastify-rest-auth/examples/social" "$app/social"
printf '{ "type": "module" }' > "$app/package.json"
cd "$app"
node app.mjs
node "$root/node_modules/typescript/bin/tsc" --noEmit --strict --module nodenext --target es2022 --skipLibCheck \
  --exactOptionalPropertyTypes --types node readme.mts social/*.ts
echo 'the README and a copied example compile against the published package'
