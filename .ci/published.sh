#!/usr/bin/env bash
# Tests the packed package as an app that installed it: the README and copies of the examples compile against its types
# with TypeScript 5 and 7; the examples start (examples.mjs), and so does a CommonJS app (commonjs.mjs); a user's story
# runs on each supported Node with each version of the database packages (runtimes.mjs).
# With the word `all`, better-sqlite3 12 is compiled for Node 22, too.
set -euo pipefail
root=$PWD
typescript7=$(node --input-type=module -e '
  import { fetchTypeScript7 } from "./.ci/fetch-package.mjs"
  console.log(await fetchTypeScript7())')
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
cp -r "$app/package/examples" "$app/types/examples"
printf '{ "type": "module" }' > "$app/types/package.json"
(
  cd "$app/types"
  strict='--strict --target es2022 --exactOptionalPropertyTypes'
  # What the `tsc --init` of TypeScript 5.9 and 7 sets besides.
  init='--strict --target esnext --exactOptionalPropertyTypes --noUncheckedIndexedAccess --noUncheckedSideEffectImports
    --verbatimModuleSyntax --isolatedModules --moduleDetection force --jsx react-jsx'
  shared='--module nodenext --skipLibCheck --preserveSymlinks --types node'
  files=$(ls readme.mts examples/{minimal,cookies,magic-link,social,postgres,jwks-service}/*.ts)
  # shellcheck disable=SC2086
  node "$root/node_modules/typescript/bin/tsc" $strict $shared $files
  # shellcheck disable=SC2086
  "$typescript7" --noEmit $init $shared $files
  # By itself: it declares its options in `Register`, and so does the README.
  # shellcheck disable=SC2086
  "$typescript7" $init $shared examples/article/app.ts
  cp "$root/.ci/examples.mjs" .
  node --preserve-symlinks --preserve-symlinks-main examples.mjs examples
)
echo 'the README and copies of the examples compile against the published package'
node .ci/commonjs.mjs "$app"
cp .ci/story.mjs "$app/story.mjs"
node .ci/runtimes.mjs "$app" "$@"
