/** Module hooks for `typescript.js`: resolve `./name.js` to `./name.ts` if that exists, and cache its JavaScript. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'

const require = createRequire(import.meta.url)
const tsconfig = readFileSync(new URL('../tsconfig.json', import.meta.url), 'utf8')
const { version } = require('typescript/package.json')
// All that changes the output for the same source; the options that `compile` adds are in this file.
const compiler = [version, tsconfig, readFileSync(new URL(import.meta.url), 'utf8')]
const cache = new URL('../node_modules/.cache/fastify-rest-auth/', import.meta.url)
mkdirSync(cache, { recursive: true })

export async function resolve (specifier, context, nextResolve) {
  if (/^(\.|file:)/.test(specifier) && specifier.endsWith('.js')) {
    const source = `${specifier.slice(0, -3)}.ts`
    if (existsSync(new URL(source, context.parentURL))) return await nextResolve(source, context)
  }
  return await nextResolve(specifier, context)
}

export async function load (url, context, nextLoad) {
  if (!url.startsWith('file:') || !/\.ts(\?|$)/.test(url)) return await nextLoad(url, context)
  // Passed on to the next hook: the one that measures coverage reads the source map.
  return await nextLoad(url, { ...context, format: 'module', source: compiled(fileURLToPath(url)) })
}

function compiled (file) {
  const source = readFileSync(file, 'utf8')
  const name = createHash('sha256').update(JSON.stringify([...compiler, basename(file), source])).digest('hex')
  const stored = new URL(`${name}.js`, cache)
  if (existsSync(stored)) return readFileSync(stored, 'utf8')
  const output = compile(file, source)
  // Renamed when complete, since another process may read it at any time.
  const draft = new URL(`${name}.${process.pid}`, cache)
  writeFileSync(draft, output)
  renameSync(draft, stored)
  return output
}

function compile (fileName, source) {
  const ts = require('typescript')
  const { config } = ts.parseConfigFileTextToJson('tsconfig.json', tsconfig)
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, '.')
  const compilerOptions = {
    ...options,
    module: ts.ModuleKind.ES2022,
    noEmit: false,
    declaration: false,
    sourceMap: false,
    inlineSourceMap: true,
    inlineSources: true
  }
  return ts.transpileModule(source, { fileName, compilerOptions }).outputText
}
