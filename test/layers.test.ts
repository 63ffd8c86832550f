import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { t } from './helper.js'

// Imports go down this list, or stay on their step: who reads a file has to know only what stands above it here.
const steps = [
  /^schemas\//,
  /^src\/lib\//,
  /^src\/db\//,
  /^src\/store\//,
  /^src\/(pages\.ts|pages\/.*)$/,
  /^src\/(errors|guarded|settings|user-field-settings|mail-settings|token-settings|locks|field-errors|validation|types|rest-auth|bodies|routing|openapi|links|cookie-settings|csrf|social-settings|destinations)\.ts$|^src\/mail\/(?!create)|^src\/(oauth|providers|errors|validation|settings|http)\/|^src\/social\//,
  /^src\/(passwords|accounts|access-tokens|custom-claims|sessions|transport|authenticate|context|users|mails|user-social-accounts|social|social-transactions|browser-binding|grants|identities|identity-accounts|newcomers|provider-tokens|registration-rule)\.ts$|^src\/mail\/create(-mail)?\.ts$|^src\/(account|session|server-api)\//,
  /^src\/features\//,
  /^src\/(create-context|plugin)\.ts$/,
  /^src\/index\.ts$/,
  /^src\/cli\//
]
const root = resolve(import.meta.dirname, '..')
const files = ['schemas', 'src'].flatMap(folder => readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
  .filter(name => name.endsWith('.ts')).map(name => `${folder}/${name}`))
const stepOf = (file: string) => steps.findIndex(step => step.test(file))

function importsOf (file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8')
  return [...text.matchAll(/(?:from|import) '(\.[^']+)\.js'|import\('(\.[^']+)\.js'\)/g)]
    .map(([, static_, dynamic]) => relative(root, resolve(root, dirname(file), `${static_ ?? dynamic}.ts`)))
}

t.test('every source file has its step', async t => {
  t.same(files.filter(file => stepOf(file) === -1), [])
})

t.test('imports only go down', async t => {
  const upward = files.flatMap(file => importsOf(file).filter(target => stepOf(target) > stepOf(file)).map(target => `${file} → ${target}`))
  t.same(upward, [])
})

t.test('no feature imports another', async t => {
  const sideways = files.filter(file => file.startsWith('src/features/'))
    .flatMap(file => importsOf(file).filter(target => target.startsWith('src/features/')).map(target => `${file} → ${target}`))
  t.same(sideways, [])
})

t.test('a file fits on a few screens', async t => {
  const long = files.filter(file => readFileSync(join(root, file), 'utf8').split('\n').length > 151)
  t.same(long.filter(file => file !== 'schemas/errors.ts'), [])
})

t.test('SQL is only ever built from text in the migrator', async t => {
  const raw = files.filter(file => /sql\.raw|client\.exec\((?!'(BEGIN IMMEDIATE|COMMIT|ROLLBACK)')/.test(readFileSync(join(root, file), 'utf8')))
  t.same(raw, ['src/db/postgres.ts', 'src/db/sqlite.ts'], 'both run what migrate.ts gives them')
})
