#!/usr/bin/env bash
# Tests the packed package as an app that installed it: the README and an example compile against its types, and a
# user's story runs on each supported Node with each version of the database packages (runtimes.mjs).
# With the word `all`, better-sqlite3 12 is compiled for Node 22, too.
set -euo pipefail
root=$PWD
npm run --silent build
app=$(mktemp -d)
trap 'rm -rf "$app"' EXIT
tarball=$(npm pack --silent --ignore-scripts --pack-destination "$app")
mkdir -p "$app/package" "$app/types/node_modules"
tar -xzf "$app/$tarball" -C "$app/package" --strip-components=1
# Its dependencies are those already installed; only the package itself must be the packed one.
for entry in "$root"/node_modules/*; do ln -sn "$entry" "$app/types/node_modules/"; done
ln -sfn "$app/package" "$app/types/node_modules/fastify-rest-auth"
awk '/^import Fastify/ { on = 1 } /^```/ { on = 0 } on' README.md > "$app/types/readme.mts"
cp -r "$app/package/examples/social" "$app/types/social"
printf '{ "type": "module" }' > "$app/types/package.json"
(
  cd "$app/types"
  node "$root/node_modules/typescript/bin/tsc" --noEmit --strict --module nodenext --target es2022 --skipLibCheck \
    --preserveSymlinks --exactOptionalPropertyTypes --types node readme.mts social/*.ts
)
echo 'the README and a copied example compile against the published package'
node .ci/commonjs.mjs "$app"
cp .ci/story.mjs "$app/story.mjs"
node .ci/runtimes.mjs "$app" "$@"
