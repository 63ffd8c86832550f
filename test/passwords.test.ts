import { createHash, pbkdf2Sync, scryptSync } from 'node:crypto'
import { hash as argon2 } from '@node-rs/argon2'
import { hash as bcrypt } from '@node-rs/bcrypt'
import { Type } from '@sinclair/typebox'
import { openDatabase } from '../src/db/open.js'
import { isCommonPassword } from '../src/lib/common-passwords.js'
import { contextOf } from '../src/lib/context-words.js'
import { QueueFull } from '../src/lib/fair-queue.js'
import { createHasher } from '../src/lib/password-hash.js'
import { verifyStoredHash } from '../src/lib/stored-password-hash.js'
import { isSimilar, quickRatio } from '../src/lib/similarity.js'
import { findUser } from '../src/store/users.js'
import { uidAndTokenIn } from './support/answers.js'
import { alice, cheapHash, fieldCodes, password, sqliteBuild, story, t } from './support/build.js'
import { temporaryFile } from './support/databases.js'

const salt = 'VTqQNUBXNNGQEXAZzaBNXq'
const phc = async () => await argon2(password, { memoryCost: 1024, timeCost: 1, parallelism: 1 })

const scryptHash = scryptSync(password, salt, 64, { N: 16384, r: 8, p: 5, maxmem: 2 ** 26 }).toString('base64')

/** Hashes as Django's PASSWORD_HASHERS write them. */
const djangoHashes = async (): Promise<Record<string, string>> => ({
  pbkdf2_sha256: `pbkdf2_sha256$1000$${salt}$${pbkdf2Sync(password, salt, 1000, 32, 'sha256').toString('base64')}`,
  pbkdf2_sha1: `pbkdf2_sha1$1000$${salt}$${pbkdf2Sync(password, salt, 1000, 20, 'sha1').toString('base64')}`,
  scrypt: `scrypt$16384$${salt}$8$5$${scryptHash}`,
  argon2: `argon2${await phc()}`,
  bcrypt_sha256: `bcrypt_sha256$${await bcrypt(createHash('sha256').update(password).digest('hex'), 4)}`,
  bcrypt: `bcrypt$${await bcrypt(password, 4)}`
})

t.test('new hashes are salted argon2id, at the cost that OWASP recommends', async t => {
  const hasher = createHasher({ memoryCost: 19456, timeCost: 2, parallelism: 1 })
  const [one, two] = await Promise.all([hasher.hash(password), hasher.hash(password)])
  t.match(one, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/)
  t.not(one, two)
  t.ok(await hasher.verify(one, password))
  t.notOk(await hasher.verify(one, `${password} `))
  t.notOk(hasher.isOutdated(one, password))
  t.ok(hasher.isOutdated(await phc(), password))
})

t.test('composed and decomposed é are the same password; nothing else is folded or cut off', async t => {
  const hasher = createHasher(cheapHash)
  t.ok(await hasher.verify(await hasher.hash('caf\u00e9-au-lait'), 'cafe\u0301-au-lait'))
  const long = 'x'.repeat(255)
  for (const [stored, tried] of [
    ['ﬁsh-and-chips', 'fish-and-chips'],
    ['Password-a', 'password-a'],
    [`${long}a`, `${long}b`],
    [`${'x'.repeat(72)}a`, `${'x'.repeat(72)}b`]
  ] as const) {
    t.notOk(await hasher.verify(await hasher.hash(stored), tried), stored.slice(0, 20))
  }
})

t.test("all of Django's hash formats are verified, and a wrong password is refused", async t => {
  for (const [algorithm, hash] of Object.entries(await djangoHashes())) {
    t.ok(await verifyStoredHash(hash, password), algorithm)
    t.notOk(await verifyStoredHash(hash, `${password}!`), algorithm)
  }
})

t.test('a damaged, unknown or absurdly expensive hash matches nothing', async t => {
  const hasher = createHasher(cheapHash)
  const hopeless = [
    '', '!', '!xxxxxxxx', 'plain', 'md5$salt$hash', '__proto__$x', 'pbkdf2_sha256',
    'pbkdf2_sha256$99999999999$a$b', 'pbkdf2_sha256$-1$a$b', 'scrypt$1073741824$a$8$1$b',
    'scrypt$16384$a$1000$1$b', 'argon2$argon2id$v=19$m=8388608,t=2,p=1$YWFhYWFhYWE$YWFh',
    'bcrypt$$2b$31$abcdefghijklmnopqrstuu', '$argon2id$v=19$m=8388608,t=2,p=1$YWFhYWFhYWE$YWFh',
    '$argon2id$v=19$m=1024,t=1000,p=1$YWFhYWFhYWE$YWFh', '$argon2id$v=19$m=1024,t=1,p=1$?$?', 'argon2$garbage',
    'bcrypt$garbage', '$argon2id$v=19$m=1,t=1,p=16$YWFhYWFhYWE$YWFh', 'scrypt$16383$a$8$1$b'
  ]
  for (const hash of hopeless) t.equal(await hasher.verify(hash, password), false, hash)
})

/** Hashes as other systems write them. */
const otherHashes = async (): Promise<Record<string, string>> => {
  const [argon2i, argon2d, crypt] = [
    await argon2(password, { algorithm: 1, memoryCost: 1024, timeCost: 1, parallelism: 1 }),
    await argon2(password, { algorithm: 0, memoryCost: 1024, timeCost: 1, parallelism: 1 }),
    await bcrypt(password, 4)
  ]
  const phcScrypt = scryptSync(password, Buffer.from('a salt of bytes!'), 32, { N: 2 ** 14, r: 8, p: 1 })
  const hexSalt = '00112233445566778899aabbccddeeff'
  const betterAuth = scryptSync(password, hexSalt, 64, { N: 16384, r: 16, p: 1, maxmem: 2 ** 26 })
  const unpadded = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '')
  return {
    argon2i,
    argon2d,
    ...Object.fromEntries(['2a', '2b', '2y'].map(version => [version, `$${version}${crypt.slice(3)}`])),
    scrypt: `$scrypt$ln=14,r=8,p=1$${unpadded(Buffer.from('a salt of bytes!'))}$${unpadded(phcScrypt)}`,
    better_auth: `${hexSalt}:${betterAuth.toString('hex')}`
  }
}

story('a user from another system logs in with their password, and gets an argon2id hash', async (
  t, build, { dialect }
) => {
  const { app, post, database } = await build(t, dialect === 'sqlite' ? { database: temporaryFile(t) } : {})
  const db = await openDatabase(database, [], () => {})
  t.teardown(() => db.close())
  for (const [algorithm, hash] of Object.entries({ ...await djangoHashes(), ...await otherHashes() })) {
    const email = `${algorithm}@example.com`
    const { pk } = await app.restAuth.users.create({
      email, gender: 'F', phone_number: '1', password_hash: hash
    } as never)
    t.equal((await post('/login', { email, password: 'wrong' })).statusCode, 400, algorithm)
    t.equal((await post('/login', { email, password })).statusCode, 200, algorithm)
    t.match((await findUser(db, pk))?.passwordHash, /^\$argon2id\$/, algorithm)
    t.equal((await post('/login', { email, password })).statusCode, 200, algorithm)
  }
})

t.test('with 64 hashes waiting, the next is refused', async t => {
  const hasher = createHasher(cheapHash)
  const results = await Promise.allSettled(Array.from({ length: 200 }, async () => await hasher.hash(password)))
  const refused = results.filter(result => result.status === 'rejected')
  t.ok(refused.length > 0 && refused.length < 140)
  t.ok(refused.every(result => result.reason instanceof QueueFull))
})

t.test('some 49,000 common passwords are refused, regardless of case', async t => {
  for (const common of ['password', 'PASSWORD1', 'qwertyuiop', 'iloveyou', 'Trustno1', '12345678', 'letmein1']) {
    t.ok(await isCommonPassword(common), common)
  }
  t.notOk(await isCommonPassword('correct horse battery staple'))
  const { dictionary } = await import('@zxcvbn-ts/language-common')
  t.ok(
    dictionary['passwords-common'].filter(candidate => candidate.length >= 8).length > 10000,
    'more than 10,000 of them have 8 characters or more'
  )
})

t.test('similarity to user data is measured as in Django', async t => {
  t.equal(quickRatio('abcd', 'bcde'), 0.75)
  t.equal(quickRatio('', ''), 1)
  t.ok(isSimilar('Alice@Example.com', 'alice@example.com'))
  t.ok(isSimilar('alice123', 'alice@example.com'), 'a word of the address counts')
  t.notOk(isSimilar('Sup3r-secret-pw', 'alice@example.com'))
  t.notOk(isSimilar('correct horse battery staple', 'F'))
})

t.test('a password has password.minLength to 256 characters, counted in code points', async t => {
  const { post } = await sqliteBuild(t, { options: { password: { minLength: 15 } } })
  let users = 0
  const codes = async (password1: string) =>
    fieldCodes(await post('/registration', { ...alice, email: `user${++users}@example.com`, password1 }))
  t.same(await codes('🔑🗝'.repeat(7)), { password1: ['password_too_short'] })
  t.same(await codes(`${'🔑🗝'.repeat(7)}🔑`), {})
  t.same(await codes('0 1 2 3 4 5 6 7 8 9 a'), {}, 'spaces and digits count like other characters')
  t.same(await codes('éè'.repeat(128)), {})
  t.same(await codes(`${'éè'.repeat(128)}é`), { password1: ['max_length'] })
})

t.test("the app's validator runs last, and receives the user", async t => {
  const seen: unknown[] = []
  const validators = [async (candidate: string, user: object) => {
    seen.push(user)
    return candidate.includes('acme') ? 'Not our name.' : true
  }]
  const { post } = await sqliteBuild(t, { options: { password: { validators } } })
  const answer = await post('/registration', { ...alice, password1: 'acme-rocket-powder' })
  t.match(answer.json().errors, [{ field: 'password1', code: 'password_not_allowed', message: 'Not our name.' }])
  t.match(seen, [{ email: alice.email, gender: 'F', phone_number: alice.phone_number }])
  t.equal((await post('/registration', alice)).statusCode, 201)
})

story('a password of words that anybody can look up is refused, also with digits around them', async (t, build) => {
  const options = {
    publicUrl: 'https://www.acme-shop.example',
    site: { name: 'My Site' },
    account: { username: 'optional' },
    userFields: {
      first_name: { schema: Type.Optional(Type.String()) },
      town: { schema: Type.Optional(Type.String()), userDetails: 'hidden' }
    }
  }
  const user = { email: 'Bobby.Tables+news@mail.example', username: 'droptable', first_name: 'Anna', town: 'São Paulo' }
  const { app, post, mails } = await build(t, { options })
  const similarTo = async (password1: string) => {
    const { errors = [] } = (await post('/registration', { ...user, password1, email: ` ${user.email}` })).json()
    return errors.find(({ code }: { code: string }) => code === 'password_too_similar')?.message
  }
  const message = (attribute: string) => `The password is too similar to the ${attribute}.`
  const { access: token } = (await post('/registration', { ...user, password1: password })).json()
  const words: Record<string, string[]> = {
    'email address': [
      'bobby.tables', 'bobby.tables1', 'Bobby_Tables!', 'tables2024!', '!!bobbytables99', 'tablesBobby7',
      'n.e.w.s.1234', 'bobby-mysite-2024', 'mail12345678'
    ],
    username: ['droptable1999!', 'DROPTABLE#1'],
    'first name': ['anna1985', 'annaanna'],
    town: ['saopaulo1'.replace('sao', 'são'), 'Paulo-2024'],
    'name of this site': ['MySite2024!', 'mysite.mysite', '1acme1shop1', 'Acme-Shop', 'acme12345', 'site2026']
  }
  for (const [attribute, passwords] of Object.entries(words)) {
    for (const weak of passwords) t.equal(await similarTo(weak), message(attribute), weak)
  }
  for (const fine of [
    'bobby.correct.horse', 'mysite-horse-1', 'annotate-2024', 'sup3r-bobbin',
      `anna${'8273645101'.repeat(2)}`, 'bob 8273 ab'
  ]) t.equal(await similarTo(fine), undefined, fine)

  const change = { old_password: password, new_password1: 'Tables-1999' }
  t.same(fieldCodes(await post('/password/change', change, { token })), { new_password1: ['password_too_similar'] })
  await post('/password/reset', { email: user.email })
  const link = uidAndTokenIn((await mails()).at(-1))
  t.same(fieldCodes(await post('/password/reset/confirm', { ...link, new_password1: 'acme.shop.1' })), {
    new_password1: ['password_too_similar']
  })
  await t.rejects(app.restAuth.users.create({ email: 'x@example.com', password: 'mysite1234' } as never))
})

t.test('the words of a password are found in any order, however often, and in linear time', async t => {
  const texts = [['a', 'aaaa'], ['b', 'aaaaa'], ['c', 'aaaaaaa']] as const
  t.equal(contextOf('a'.repeat(256), texts), 'a')
  t.equal(contextOf(`${'a'.repeat(255)}b`, texts), undefined)
  t.equal(contextOf('1234', texts), undefined)
  t.equal(contextOf('Ｂｏｂｂｙ１', [['name', 'bobby']]), 'name', 'fullwidth')
})

story('one repeated character is a common password; twenty digits are not', async (t, build) => {
  const { post } = await build(t)
  const codesOf = async (password1: string) =>
    fieldCodes(await post('/registration', { ...alice, email: 'no', password1 })).password1
  for (const weak of [
    'aaaaaaaa', 'aAaAAAaa', '!!!!!!!!!!!!', 'ß'.repeat(12), 'e\u0301'.repeat(8), '😀'.repeat(9), ' '.repeat(10),
    ' zzzzzzzz\t', '1'.repeat(20), '0'.repeat(40), 'x'.repeat(128)
  ]) t.same(await codesOf(weak), ['password_too_common'], JSON.stringify(weak))
  for (const numeric of ['8273645101928', '8273645101928374650', '٨٢٧٣٦٤٥١٠١٩٢٨', '１２３７６５４０']) {
    t.same(await codesOf(numeric), ['password_entirely_numeric'], numeric)
  }
  t.same(await codesOf('77777777'), ['password_too_common', 'password_entirely_numeric'])
  for (const fine of [
    '82736451019283746501', '8273645101928374650192837465', '٨٢٧٣٦٤٥١٠١٩٢٨٣٧٤٦٥٠١٩', 'aaaaaaaab9', 'x'.repeat(129)
  ]) t.equal(await codesOf(fine), undefined, fine)
})
