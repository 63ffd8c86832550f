/** Stored hashes that another app, or an earlier setting of this one, has made. */
import { createHash, pbkdf2Sync, scryptSync } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { setImmediate } from 'node:timers/promises'
import { hash as argon2 } from '@node-rs/argon2'
import { hash as bcrypt } from '@node-rs/bcrypt'
import { openDatabase } from '../src/db/open.js'
import { QueueFull } from '../src/lib/fair-queue.js'
import { createHasher } from '../src/lib/password-hash.js'
import { createWorkInUse, workLeft, workOf, type Work } from '../src/lib/password-work.js'
import { findUser, updateUser } from '../src/store/users.js'
import {
  password, story, t, type Build, type BuildOptions, type BuiltApp, type Test
} from './support/build.js'
import { temporaryFile, type TestedDatabase } from './support/databases.js'
import { processorMs } from './support/processor-time.js'
import { existingTable } from './support/users-table.js'

const cost = { memoryCost: 4096, timeCost: 3, parallelism: 1 }
const older = { memoryCost: 1024, timeCost: 1, parallelism: 1 }

const pbkdf2 = (rounds: number, secret = password) =>
  `pbkdf2_sha256$${rounds}$salt$${pbkdf2Sync(secret, 'salt', rounds, 32, 'sha256').toString('base64')}`
const djangoBcrypt = async (secret: string, rounds = 4) => `bcrypt$${await bcrypt(secret, rounds)}`

/** An app, and a function that creates a user with the given stored hash. */
async function withHashes (t: Test, build: Build, { dialect }: TestedDatabase, options: BuildOptions = {}) {
  const built = await build(t, { ...dialect === 'sqlite' && { database: temporaryFile(t) }, ...options })
  const db = await openDatabase(built.database, [], () => {}, existingTable)
  t.teardown(() => db.close())
  async function importUser (name: string, passwordHash: string | null, changes: object = {}) {
    const fields = { email: `${name}@example.com`, gender: 'F', phone_number: '1' }
    const { pk } = await built.app.restAuth.users.create(fields as never)
    await updateUser(db, pk, { passwordHash, ...changes })
    return async () => (await findUser(db, pk))?.passwordHash ?? ''
  }
  return { ...built, importUser, logIn: logInto(built) }
}

const logInto = ({ post }: BuiltApp) => async (name: string, tried: string = password) =>
  (await post('/login', { email: `${name}@example.com`, password: tried })).statusCode

t.test('a wrong password takes the work of all kinds of stored hashes, each once, whatever is stored', async t => {
  const stored = [
    await argon2(password, cost), await argon2(password, older), `argon2${await argon2(password, older)}`,
    pbkdf2(1000), pbkdf2(2600), await djangoBcrypt(password, 4), await djangoBcrypt(password, 6),
    `bcrypt_sha256$${await bcrypt('a digest', 5)}`,
    `scrypt$1024$salt$8$1$${scryptSync(password, 'salt', 64, { N: 1024 }).toString('base64')}`
  ]
  const inUse = createWorkInUse()
  for (const hash of stored) inUse.note(workOf(hash) as Work)
  const amounts = (works: Work[]) => {
    const sums: Record<string, number> = {}
    for (const { kind, amount } of works) sums[kind] = (sums[kind] ?? 0) + amount
    return sums
  }
  const ofUnknown = amounts(workLeft(inUse.all()))
  t.same(ofUnknown, {
    'argon2id m=4096,t=3,p=1': 12288,
    'argon2id m=1024,t=1,p=1': 1024,
    'pbkdf2 sha256': 2600,
    bcrypt: 64,
    'scrypt N=1024,r=8,p=1': 8192
  })
  for (const hash of stored) {
    const own = workOf(hash) as Work
    t.same(amounts([own, ...workLeft(inUse.all(), own)]), ofUnknown, hash)
  }
})

t.test('a hash that no password can match takes no work', async t => {
  for (const hash of [
    '', '!', '!random', 'md5$salt$hash', 'bcrypt$$2b$31$short', 'bcrypt$$2b$12$short',
    `bcrypt$$2b$16$${'a'.repeat(53)}`, 'pbkdf2_sha256$0$salt$hash', 'pbkdf2_sha256$99999999999$salt$hash',
    '$argon2id$v=19$m=8388608,t=2,p=1$YWFhYWFhYWE$YWFh', `$2x$10$${'a'.repeat(53)}`, '$2b$10$short',
    '$scrypt$ln=30,r=8,p=1$c2FsdHNhbHRzYWx0$c2FsdHNhbHRzYWx0c2FsdHNhbHQ', '$scrypt$ln=4,r=8,p=1$c2FsdA$YWFh',
    `${'a'.repeat(32)}:abc`, `${'a'.repeat(31)}:${'b'.repeat(128)}`,
    // Too expensive only when the parameters are taken together.
    '$scrypt$ln=18,r=32,p=16$c2FsdHNhbHRzYWx0$c2FsdHNhbHRzYWx0c2FsdHNhbHQ',
    `scrypt$16384$salt$32$16$${'a'.repeat(86)}==`, '$argon2id$v=19$m=1048576,t=20,p=1$YWFhYWFhYWE$YWFhYWFhYWE',
    // Damaged: the algorithm would refuse the parameters, or there is no key.
    '$argon2id$v=19$m=64,t=1,p=16$YWFhYWFhYWE$YWFhYWFhYWE', '$argon2id$v=19$m=1024,t=1,p=1$YWFhYWFhYWE$',
    `scrypt$3$salt$8$1$${'a'.repeat(86)}==`, 'scrypt$16384$salt$8$1$', 'pbkdf2_sha256$1000$salt$',
    '$scrypt$ln=0,r=8,p=1$c2FsdHNhbHRzYWx0$c2FsdHNhbHRzYWx0c2FsdHNhbHQ'
  ]) t.equal(workOf(hash), undefined, hash)
})

story('a failed login takes the same work, whether there is an account and whatever its hash', async (
  t, build, database
) => {
  const { importUser, logIn } = await withHashes(t, build, database, { internals: { hashCost: cost } })
  await importUser('current', await argon2(password, cost))
  await importUser('older', await argon2(password, older))
  await importUser('pbkdf2', pbkdf2(20_000))
  await importUser('bcrypt', await djangoBcrypt(password, 8))
  await importUser('unusable', '!mWqv0LrN4cJ8sYtX2uKzH6bEfGd9PaVo')
  await importUser('blank', '')
  await importUser('damaged', 'argon2$argon2id$v=19$m=1024,t=1,p=1$?$?')
  await importUser('none', null)
  await importUser('deactivated', await argon2(password, cost), { isActive: false })
  const names = [
    'current', 'older', 'pbkdf2', 'bcrypt', 'unusable', 'blank', 'damaged', 'none', 'unknown', 'deactivated'
  ]
  const spent: Record<string, number[]> = {}
  for (let round = 0; round < 9; round++) {
    for (const name of names) {
      const ms = await processorMs(async () => {
        t.equal(await logIn(name, name === 'deactivated' ? password : 'wrong'), 400)
      })
      ;(spent[name] ??= []).push(ms)
    }
  }
  const median = (name: string) => [...spent[name] ?? []].sort((one, other) => one - other)[4] ?? 0
  for (const name of names) {
    const ratio = median(name) / median('unknown')
    t.ok(ratio > 0.6 && ratio < 1.6, `${name}: ${ratio.toFixed(2)} times the work of unknown`)
  }
})

story('a login with an ordinary hash does not wait for those with slow imported ones', async (t, build, database) => {
  const { importUser, logIn } = await withHashes(t, build, database)
  await importUser('ordinary', await argon2(password, older))
  await importUser('slow', pbkdf2(1_000_000))
  await importUser('bcrypt', await djangoBcrypt(password, 11))
  const order: string[] = []
  const attempt = async (name: string, tried?: string) => {
    await logIn(name, tried)
    order.push(name)
  }
  const slow = Array.from({ length: availableParallelism() + 2 }, async (_, index) =>
    await attempt(index % 2 === 0 ? 'slow' : 'bcrypt', 'wrong'))
  await Promise.all([...slow, attempt('ordinary')])
  // In one queue with them, it would begin when three of them are done. On a busy machine it need not be the first.
  t.ok(order.indexOf('ordinary') < 3, order.join())
})

story('other requests are answered while a bcrypt hash is verified', async (t, build, database) => {
  const { importUser, logIn, get } = await withHashes(t, build, database)
  await importUser('bcrypt', await djangoBcrypt(password, 12))
  const ended = new AbortController()
  const login = logIn('bcrypt').finally(() => ended.abort())
  let answered = 0
  // Each turn of the event loop answers one: inject alone would never leave the first.
  for (; !ended.signal.aborted; answered++) {
    await get('/user')
    await setImmediate()
  }
  t.equal(await login, 200)
  t.ok(answered > 20, `${answered} requests`)
})

t.test('with 16 slow hashes waiting, the next is refused, and ordinary ones are not', async t => {
  const hasher = createHasher(older)
  const [slow, ordinary] = [pbkdf2(100_000), await argon2(password, older)]
  const results = Promise.allSettled(Array.from({ length: 30 }, async () => await hasher.verify(slow, password)))
  t.equal(await hasher.verify(ordinary, password), true)
  const refused = (await results).filter(result => result.status === 'rejected')
  t.equal(refused.length, 13)
  t.ok(refused.every(({ reason }) => reason instanceof QueueFull))
})

story('a login with the same first 72 bytes does not replace a bcrypt hash', async (t, build, database) => {
  const { importUser, logIn } = await withHashes(t, build, database)
  const start = 'correct horse battery staple, '.repeat(3).slice(0, 72)
  for (const [name, owned, twin] of [
    ['longer', `${start}-mine`, `${start}-theirs`],
    ['prefix', `${start}-mine`, start],
    ['exactly', start, `${start}-theirs`],
    ['accents', `${'é'.repeat(36)}-mine`, 'é'.repeat(36)],
    ['within-a-letter', `${'x'.repeat(71)}é`, `${'x'.repeat(71)}é-theirs`]
  ] as const) {
    const stored = await importUser(name, await djangoBcrypt(owned))
    const before = await stored()
    t.equal(await logIn(name, twin), 200, `${name}: as bcrypt compares them`)
    t.equal(await logIn(name, owned), 200, `${name}: the owner still logs in`)
    t.equal(await stored(), before)
    t.equal(await logIn(name, owned.slice(1)), 400)
  }
})

story('a bcrypt hash of a shorter password, or of its digest, is replaced at login', async (t, build, database) => {
  const { importUser, logIn } = await withHashes(t, build, database)
  const long = 'é'.repeat(100)
  const crypt = await bcrypt(password, 4)
  for (const [name, secret, hash] of [
    ['longest', 'x'.repeat(71), await djangoBcrypt('x'.repeat(71))],
    ['accents', 'é'.repeat(35), await djangoBcrypt('é'.repeat(35))],
    ['digest', long, `bcrypt_sha256$${await bcrypt(createHash('sha256').update(long).digest('hex'), 4)}`],
    ...['2a', '2b', '2x', '2y'].map(version => [version, password, `bcrypt$${crypt.replace('2b', version)}`] as const)
  ] as const) {
    const stored = await importUser(name, hash)
    t.equal(await logIn(name, `${secret}!`), 400, name)
    t.equal(await logIn(name, secret), 200, name)
    t.match(await stored(), /^\$argon2id\$/)
    t.equal(await logIn(name, `${secret}!`), 400, name)
    t.equal(await logIn(name, secret), 200, name)
  }
})

story('the owner of a bcrypt hash that no login replaces can change the password', async (t, build, database) => {
  const { importUser, logIn, post } = await withHashes(t, build, database)
  const owned = 'y'.repeat(80)
  const stored = await importUser('owner', await djangoBcrypt(owned))
  const token = (await post('/login', { email: 'owner@example.com', password: owned })).json().access
  const change = { old_password: owned, new_password1: `${'z'.repeat(72)}-mine` }
  t.equal((await post('/password/change', change, { token })).statusCode, 200)
  t.match(await stored(), /^\$argon2id\$/)
  t.equal(await logIn('owner', owned), 400)
  t.equal(await logIn('owner', `${'z'.repeat(72)}-theirs`), 400)
})
