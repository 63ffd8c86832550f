/**
 * What docs/upgrades.md promises within a major version, held against the last release: its names are still there, and
 * no migration takes anything away.
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { errors } from '../schemas/errors.js'
import { eventTypes } from '../schemas/events.js'
import { Options } from '../schemas/options.js'
import * as postgres from '../src/db/tables-postgres.js'
import * as sqlite from '../src/db/tables-sqlite.js'
import { sqliteBuild, t } from './support/build.js'
import { temporaryFile } from './support/databases.js'
import { fileOf, lastRelease, readJson, releaseOptions } from './support/releases.js'
import { entriesOf, surfaceOf, type Surface } from './support/surface.js'

const root = resolve(import.meta.dirname, '..')

const notOurs = '`fastify-rest-auth/schemas` no longer exports helpers of the plugin itself'
/**
 * What the last release had and this version does not, each with words of the **Changed:** entry that says so in the
 * changelog. Only a major version may have such lines, and before 1.0 a minor one. After a release the list is empty.
 */
const changed: Record<string, string> = {
  'events: token_reuse': 'the event `token_reuse` in the log is called `token_reused`',
  'exports: fastify-rest-auth/schemas PageDescription': notOurs,
  'exports: fastify-rest-auth/schemas Tokens': notOurs,
  'exports: fastify-rest-auth/schemas canBeMissing': notOurs,
  'exports: fastify-rest-auth/schemas cookieSecuritySchemes': '`securitySchemes` is a function',
  'exports: fastify-rest-auth/schemas isTakenOnce': notOurs,
  'exports: fastify-rest-auth/schemas page': notOurs,
  'exports: fastify-rest-auth/schemas unwantedBody': notOurs
}

t.test(`what ${lastRelease} offered is still there`, async t => {
  const { app } = await sqliteBuild(t, { options: releaseOptions })
  const now = surfaceOf({
    entries: entriesOf(root, 'fastify-rest-auth:source'),
    Options,
    errors,
    events: eventTypes,
    tables: { sqlite, postgres },
    document: app.restAuth.openapi()
  })
  const before = readJson<Surface>(lastRelease, 'surface.json')
  const lost = (Object.keys(before) as Array<keyof Surface>).filter(part => part !== 'required').flatMap(part =>
    before[part].filter(line => !now[part].includes(line)).map(line => `${part}: ${line}`))
  const routes = new Set(before.routes)
  const demanded = now.required.filter(line => !before.required.includes(line))
    .filter(line => routes.has(line.split(' body ')[0] ?? '')).map(line => `required: ${line}`)
  t.same([...lost, ...demanded].sort(), Object.keys(changed).sort(),
    'put it back; or, if the next version is a major one (before 1.0: a minor one), list it in `changed`')
})

t.test('the changelog has an entry for each change that breaks apps', async t => {
  const [, unreleased = ''] = readFileSync(`${root}/CHANGELOG.md`, 'utf8').split(/^## /m)
  const entries = unreleased.split(/^- /m).map(entry => entry.replaceAll(/\s+/g, ' '))
  for (const words of new Set(Object.values(changed))) {
    t.ok(entries.some(entry => entry.startsWith('**Changed:**') && entry.includes(words)), words)
  }
})

/** These change rows, in a way that leaves them readable for older versions. */
const changesRows = new Set(['0003_refresh_token_families', '0004_fold_usernames'])

/** The statements of a migration that an older version might not survive. */
function breakingStatements (tag: string, text: string): string[] {
  const statements = text.replaceAll(/^--(?!> ).*$/gm, '').split('--> statement-breakpoint')
    .map(statement => statement.replaceAll(/[`"]/g, '').replaceAll(/\s+/g, ' ').trim())
  const made = new Set(statements.map(statement => /^CREATE TABLE (\w+) /.exec(statement)?.[1]))
  // A constraint or a unique index on a table that an older version writes could refuse what it writes.
  const isOnOwnTable = (table: string | undefined) => made.has(table)
  return statements.filter(statement => {
    if (/^CREATE (TABLE|INDEX) /.test(statement)) return false
    const column = /^ALTER TABLE \w+ ADD (?:COLUMN )?(?!CONSTRAINT)(.*)$/.exec(statement)?.[1]
    if (column !== undefined) return / NOT NULL/.test(column) && !/ DEFAULT /.test(column)
    const restricted = /^(?:CREATE UNIQUE INDEX \w+ ON|ALTER TABLE(?= \w+ ADD CONSTRAINT)) (\w+) /.exec(statement)
    if (restricted) return !isOnOwnTable(restricted[1])
    return !(/^(UPDATE|DELETE FROM) /.test(statement) && changesRows.has(tag))
  })
}

for (const dialect of ['sqlite', 'postgres']) {
  const folder = `${root}/migrations/${dialect}`
  const names = readdirSync(folder).filter(name => name.endsWith('.sql'))

  t.test(`the ${dialect} migrations only add`, async t => {
    for (const name of names) {
      const found = breakingStatements(name.replace('.sql', ''), readFileSync(join(folder, name), 'utf8'))
      t.same(found, [], `${name}: an older version must run beside this one (docs/upgrades.md)`)
    }
  })

  t.test(`the ${dialect} migrations that ${lastRelease} has are unchanged`, async t => {
    const unpacked = dirname(temporaryFile(t))
    const members = `package/migrations/${dialect}`
    execFileSync('tar', ['-xzf', fileOf(lastRelease, 'package.tgz'), '-C', unpacked, members])
    for (const name of readdirSync(join(unpacked, members)).filter(name => name.endsWith('.sql'))) {
      const released = readFileSync(join(unpacked, members, name), 'utf8')
      t.equal(readFileSync(join(folder, name), 'utf8'), released, `${name}: databases have run it; add another`)
    }
  })
}

t.test('a migration that takes something away is noticed', async t => {
  for (const statement of [
    'DROP TABLE `users`', 'ALTER TABLE "users" DROP COLUMN "email"', 'ALTER TABLE `users` RENAME COLUMN `a` TO `b`',
    'ALTER TABLE "users" RENAME TO "accounts"', 'ALTER TABLE "users" ALTER COLUMN "email" SET NOT NULL',
    'ALTER TABLE "users" ALTER COLUMN "pk" SET DATA TYPE bigint', 'ALTER TABLE `users` ADD `a` text NOT NULL',
    'CREATE UNIQUE INDEX `i` ON `users` (`a`)', 'ALTER TABLE "users" ADD CONSTRAINT "c" UNIQUE("a")',
    'DROP INDEX `i`', 'DELETE FROM `users`', 'UPDATE users SET email = null', 'PRAGMA foreign_keys=OFF'
  ]) t.same(breakingStatements('0009_later', statement).length, 1, statement)
  for (const statement of [
    'ALTER TABLE `users` ADD `a` text', 'ALTER TABLE "users" ADD COLUMN "a" boolean DEFAULT false NOT NULL',
    '-- why\nCREATE INDEX "i" ON "users" USING btree ("a")'
  ]) t.same(breakingStatements('0009_later', statement), [], statement)
})
