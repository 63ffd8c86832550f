// Compiles the blocks of docs/commonjs.md as a CommonJS app that installed the package, with TypeScript 5 and 7, and
// runs the result. Checks the errors that the page lists, too. Exits with 1 if the page is wrong.
// Usage: node commonjs.mjs FOLDER, where FOLDER/types/node_modules has the package.
import assert from 'node:assert/strict'
import { execFile as execFileCallback } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { fetchTypeScript7 } from './fetch-package.mjs'

const execFile = promisify(execFileCallback)
const folder = join(resolve(process.argv[2]), 'commonjs')
const root = resolve(import.meta.dirname, '..')
const flags = ['--preserve-symlinks', '--preserve-symlinks-main']

/** The blocks of the page, by the name in their first line. */
function blocks () {
  const page = readFileSync(join(root, 'docs/commonjs.md'), 'utf8')
  const found = [...page.matchAll(/^```[jt]s\n\/\/ (\S+)\n([^]*?)^```/gm)]
  return found.map(([, name, text]) => [name, text])
}

// What the page says does not compile.
const faulty = {
  'fields.ts': `import { Type } from '@sinclair/typebox'
    import { defineRestAuth } from 'fastify-rest-auth'
    export const own = defineRestAuth({ userFields: { age: { schema: Type.Integer() } } })`,
  'schemas.ts': "export { createContract } from 'fastify-rest-auth/schemas'"
}

/** The errors of a compilation, as `app.ts TS1479`, each once. */
async function compile ([program, ...words], options, outDir) {
  const files = ['app.ts', 'app-with-import.ts', 'auth.mts', ...Object.keys(faulty)]
  const { stdout } = await execFile(program, [
    ...words, '--outDir', outDir, '--strict', '--target', 'es2022', '--esModuleInterop', '--skipLibCheck',
    '--preserveSymlinks', '--types', 'node', ...options, ...files
  ], { cwd: folder }).catch(error => error)
  return [...new Set([...stdout.matchAll(/^(\S+?)\(.*?error (TS\d+)/gm)].map(([, file, code]) => `${file} ${code}`))]
}

const typescript5 = [process.execPath, join(root, 'node_modules/typescript/bin/tsc')]
const typescript7 = [await fetchTypeScript7()]
const notForRequire = ['app.ts TS1479', 'fields.ts TS1479', 'fields.ts TS2741', 'schemas.ts TS1479']
const compilations = [
  ['5', typescript5, ['--module', 'nodenext'], ['fields.ts TS2741'], ['app.js', 'app-with-import.js']],
  ['7', typescript7, ['--module', 'nodenext'], ['fields.ts TS2741'], ['app.js', 'app-with-import.js']],
  ['5', typescript5, ['--module', 'node16'], notForRequire, ['app-with-import.js']],
  ['7', typescript7, ['--module', 'node16'], notForRequire, ['app-with-import.js']],
  ['5', typescript5, ['--module', 'commonjs'], ['schemas.ts TS2307'], ['app.js', 'app-with-import.js']],
  ['7', typescript7, ['--module', 'commonjs'], ['fields.ts TS2741'], ['app.js', 'app-with-import.js']]
]

mkdirSync(folder)
symlinkSync(join(folder, '../types/node_modules'), join(folder, 'node_modules'))
writeFileSync(join(folder, 'package.json'), '{}')
cpSync(join(root, '.ci/commonjs-story.cjs'), join(folder, 'story.cjs'))
for (const [name, text] of [...blocks(), ...Object.entries(faulty)]) writeFileSync(join(folder, name), text)

for (const [index, [version, program, options, expected, apps]] of compilations.entries()) {
  const outDir = `out-${index}`
  assert.deepEqual((await compile(program, options, outDir)).sort(), expected, `TypeScript ${version} ${options}`)
  for (const app of apps) {
    await execFile(process.execPath, [...flags, 'story.cjs', join(outDir, app)], { cwd: folder })
  }
  console.log(`a CommonJS app compiles with TypeScript ${version} ${options.join(' ')}, and runs`)
}
const verbatim = await compile(typescript7, ['--module', 'nodenext', '--verbatimModuleSyntax'], 'out-verbatim')
assert.ok(verbatim.includes('app.ts TS1295'), `--verbatimModuleSyntax: ${verbatim}`)
