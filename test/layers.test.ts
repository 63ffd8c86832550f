import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import ts from 'typescript'
import { t } from './support/build.js'

// From the ground up: a room may import the rooms above it in this list, never one below. Types count as imports.
const rooms = [
  'schemas/', 'src/lib/', 'src/db/', 'src/store/', 'src/pages/', 'src/providers/', 'src/errors/', 'src/validation/',
  'src/user-types.ts', 'src/types.ts', 'src/settings/', 'src/http/', 'src/mail/', 'src/account/', 'src/oauth/',
  'src/api-types.ts', 'src/rest-auth.ts', 'src/social/', 'src/session/', 'src/context.ts', 'src/features/',
  'src/server-api/', 'src/create-context.ts', 'src/plugin.ts', 'src/index.ts', 'src/cli/'
]
const root = resolve(import.meta.dirname, '..')
const files = ['schemas', 'src'].flatMap(folder =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ts'))
    .map(name => `${folder}/${name}`))

const roomOf = (file: string) =>
  rooms.findIndex(room => file === room || (room.endsWith('/') && file.startsWith(room)))

function importsOf (file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8')
  return [...text.matchAll(/(?:from|import) '(\.[^']+)\.js'|import\('(\.[^']+)\.js'\)/g)]
    .map(([, static_, dynamic]) => relative(root, resolve(root, dirname(file), `${static_ ?? dynamic}.ts`)))
}

const importsWhere = (isWrong: (file: string, target: string) => boolean) => files.flatMap(file =>
  importsOf(file).filter(target => isWrong(file, target)).map(target => `${file} → ${target}`))

t.test('every source file is in a room of the list', async t => {
  t.same(files.filter(file => roomOf(file) === -1), [])
})

t.test('a file imports only from its own room and the rooms above it in the list', async t => {
  t.same(importsWhere((file, target) => roomOf(target) > roomOf(file)), [])
})

t.test('no feature imports another', async t => {
  const isFeature = (file: string) => file.startsWith('src/features/')
  t.same(importsWhere((file, target) => isFeature(file) && isFeature(target)), [])
})

t.test('imports never form a circle, types included', async t => {
  const done = new Set<string>()
  const circles: string[] = []

  function visit (file: string, path: readonly string[]): void {
    if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' → '))
    if (done.has(file) || path.includes(file)) return
    for (const target of importsOf(file)) visit(target, [...path, file])
    done.add(file)
  }

  for (const file of files) visit(file, [])
  t.same(circles, [])
})

t.test('the root of src holds at most 8 files', async t => {
  t.ok(files.filter(file => /^src\/[^/]+$/.test(file)).length <= 8)
})

t.test('a source file has at most 150 lines', async t => {
  const isLong = (file: string) => readFileSync(join(root, file), 'utf8').split('\n').length > 151
  t.same(files.filter(isLong), [])
})

t.test('a function has at most 40 lines of its own, beside the functions that it contains', async t => {
  const long: string[] = []

  for (const file of files) {
    const text = readFileSync(join(root, file), 'utf8')
    const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
    const lineOf = (position: number) => source.getLineAndCharacterOfPosition(position).line

    /** The lines that functions take in a node. */
    function visit (node: ts.Node): number {
      let inner = 0
      ts.forEachChild(node, child => { inner += visit(child) })
      if (!ts.isFunctionLike(node) || !('body' in node) || node.body === undefined) return inner
      const whole = lineOf(node.end) - lineOf(node.getStart(source)) + 1
      if (whole - inner > 40) long.push(`${file}:${lineOf(node.getStart(source)) + 1}`)
      return whole
    }
    visit(source)
  }
  t.same(long, [])
})

t.test('only the migrator builds SQL from text', async t => {
  const raw = /sql\.raw|client\.exec\((?!'(BEGIN IMMEDIATE|COMMIT|ROLLBACK)')/
  const offenders = files.filter(file => raw.test(readFileSync(join(root, file), 'utf8')))
  t.same(offenders, ['src/db/postgres.ts', 'src/db/sqlite.ts'], 'both run what migrate.ts gives them')
})
