/** Which usernames are allowed, in any script, and which two are the same. */
import { sql } from 'drizzle-orm'
import { Ajv } from 'ajv'
import { Username } from '../schemas/username.js'
import { migrate } from '../src/db/migrate.js'
import { openDatabase } from '../src/db/open.js'
import { usernameKey } from '../src/lib/username.js'
import { fieldCodes, password, story, t, type BuiltApp } from './support/build.js'
import { temporaryFile } from './support/databases.js'

const options = { userFields: {}, account: { username: 'required', loginMethods: ['username', 'email'] } }

let addresses = 0
const register = async ({ post }: BuiltApp, username: string) =>
  await post('/registration', { username, email: `u${++addresses}@example.com`, password1: password })

/** Spellings of one name: upper and lower case, with the letters that have no partner of one character. */
const same = [
  ['Straße', 'STRASSE', 'STRAẞE', 'strasse', 'straẞe'],
  ['ΣΊΣΥΦΟΣ', 'σίσυφος', 'σίσυφοσ', 'Σίσυφος'],
  ['ﬁne', 'FINE', 'ﬁNE', 'fine', 'ｆｉｎｅ'],
  ['ŉdolo', 'ʼNDOLO', 'ʼndolo'],
  ['ǰan', 'J̌AN', 'ǰan'],
  ['Ϊ́ρις', 'ΐρις', 'ΪΡΙΣ'.replace('Ϊ', 'Ϊ\u0301')],
  ['ΑΙΔΗΣ', 'ᾳδης', 'αιδησ'],
  ['Ꭰꮃꭹ', 'ꭰꮃꭹ', 'ᎠᎳᎩ'],
  ['Ilgın', 'ILGIN', 'ilgin'],
  ['İlker', 'i̇lker'],
  ['Ǆura', 'ǅura', 'DŽURA'],
  ['Եւա', 'ԵՒԱ', 'եւա'],
  ['علی\u200cرضا', 'علیرضا'],
  ['ශ්\u200dරී', 'ශ්රී']
] as const

story('usernames that differ only in case, by full case folding, are one', async (t, build) => {
  const app = await build(t, { options })
  for (const [first, ...others] of same) {
    const registered = await register(app, first)
    t.equal(registered.statusCode, 201, first)
    for (const other of [first, ...others]) {
      const codes = fieldCodes(await register(app, other)).username
      t.ok(codes?.[0] === 'username_taken' || codes?.[0] === 'invalid_username', `${other} is ${first}`)
      const login = await app.post('/login', { username: other, password })
      t.equal(login.json().user?.pk, registered.json().user.pk, `${other} logs in ${first}`)
    }
  }
})

story('of 50 spellings of one name that register at once, one gets it', async (t, build) => {
  const app = await build(t, { options })
  const spellings = ['Straße', 'STRASSE', 'STRAẞE', 'strasse', 'straße']
  const answers = await Promise.all(Array.from({ length: 50 }, async (_, index) =>
    await register(app, spellings[index % 5] ?? '')))
  t.equal(answers.filter(({ statusCode }) => statusCode === 201).length, 1)
})

story('names may have the marks and joiners of their script, and no other marks', async (t, build) => {
  const app = await build(t, { options })
  const allowed = [
    'अनिल', 'श्रीनिवास', 'প্রিয়াঙ্কা', 'ਗੁਰਪ੍ਰੀਤ', 'தமிழ்ச்செல்வி', 'వెంకటేశ్', 'ಕೃಷ್ಣ', 'രാജന്\u200d',
    'ශ්\u200dරියානි',
    'สมหญิง', 'ສົມຊາຍ', 'မြတ်ဆွေ', 'សុខា', 'བསྟན་འཛིན'.replace('་', '_'), 'مُحَمَّد', 'محمد', 'علی\u200cرضا', 'שָׁלוֹם',
    'Nguyễn', 'e\u0301mile2', 'क्\u200dष', 'q\u0303a', 'عل\u0615\u200cرضا'
  ]
  for (const name of allowed) {
    const answer = await register(app, name)
    t.equal(answer.json().user?.username, name.normalize('NFKC'), `${name}: ${answer.body.slice(0, 200)}`)
  }
  const refused = [
    '\u0301abc', 'a_\u0301b', '1\u0301', '\u093fनिल', 'ad\u200dmin', 'ad\u200cmin', 'a\u0303\u200db', 'а\u200cб',
    'अ\u200dब',
    '\u200cعلی', 'علی\u200c', 'ali\u200cعلی', 'e\ufe0fve', 'a\u034fb', 'क\u180bख', 'admi\u0307n', 'j\u0307oe',
    'а\u20ddb',
    'عل\u0615\u200c', 'عل\u0615\u200dرضا', 'عل\u0615\u200cali',
    `a${'\u0316'.repeat(9)}`, `क${'\u0941'.repeat(9)}`, 'क\u200d\u200d', 'ad\u00admin', 'ក\u17b4'
  ]
  for (const name of refused) {
    t.same(fieldCodes(await register(app, name)), { username: ['invalid_username'] }, JSON.stringify(name))
  }
})

t.test('the key of a letter is that of its upper, lower and decomposed form, and its own key', async t => {
  const wrong = new Set<string>()
  for (let code = 0; code < 0x110000; code++) {
    const letter = String.fromCodePoint(code)
    if (!/^[\p{L}\p{N}\p{M}]$/u.test(letter)) continue
    const text = letter.normalize('NFKC')
    const key = usernameKey(text)
    const forms = [
      letter, text.toUpperCase(), text.toLowerCase(), text.toLowerCase().toUpperCase(), text.normalize('NFD'),
      text.normalize('NFD').toUpperCase(), text.toUpperCase().normalize('NFD').toLowerCase(), key
    ]
    // Arabic marks of compatibility begin with a space, which a name may not.
    if (!/^\s/.test(text) && forms.some(form => usernameKey(form) !== key)) wrong.add(letter)
  }
  t.same([...wrong], [])
  const apart = ['a', 'b', 'é', 'e', 'ss', 's', 'ö', 'oe', 'đ', 'd', 'ł', 'l', 'и', 'й', 'か', 'が', 'ا', 'آ']
  t.equal(new Set(apart.map(usernameKey)).size, apart.length, 'letters that are different stay so')
})

t.test('no username makes the pattern slow', async t => {
  const check = new Ajv({ unicodeRegExp: true }).compile({ ...Username(), maxLength: 20_000 })
  // All marks of the Arabic script, and one of each other kind.
  const marks = Array.from({ length: 0x20000 }, (_, code) => String.fromCodePoint(code))
    .filter(mark => /^\p{M}$/u.test(mark) && /\p{Script=Arabic}|[\u064e\u094d\u0316\u0e31\u0f72]/u.test(mark))
  const units = [
    'क्\u200d', 'क्', 'اَ\u200c', 'a\u0316', 'علی\u200c',
    ...marks.flatMap(mark => ['ا', 'क', 'a'].flatMap(letter => ['', '\u200c', '\u200d'].map(joiner =>
      `${letter}${mark}${joiner}`)))
  ]
  const steps = units.map(unit => [unit.repeat(500), unit.repeat(4000)].map(text => {
    const start = process.cpuUsage().user
    t.notOk(check(`${text}!`))
    return process.cpuUsage().user - start
  }))
  for (const [short = 0, long = 0] of steps) t.ok(long < 50_000 + short * 80, `${short} µs, ${long} µs`)
})

story('an upgrade folds stored names with ẞ; where two users differed only by it, both keep theirs', async (
  t, build, { dialect }
) => {
  const database = dialect === 'sqlite' ? { database: temporaryFile(t) } : {}
  const app = await build(t, { options, ...database })
  const users: Record<string, string> = {}
  for (const [name, key] of [['GROẞ', 'groß'], ['A', 'straße'], ['Strasse', 'strasse'], ['B', 'ßss'], ['C', 'ssß']]) {
    users[key ?? ''] = (await register(app, name ?? '')).json().user.pk
  }
  const db = await openDatabase(app.database, [], () => {})
  t.teardown(() => db.close())
  for (const [key, pk] of Object.entries(users)) {
    const username = { straße: 'STRAẞE', ßss: 'ẞSS', ssß: 'SSẞ' }[key]
    await db.execute(db, `UPDATE users SET username_key = '${key}' WHERE pk = '${pk}'`)
    if (username) await db.execute(db, `UPDATE users SET username = '${username}' WHERE pk = '${pk}'`)
  }
  await db.execute(db, "DELETE FROM rest_auth_schema WHERE entry = 'migration:0004_fold_usernames'")
  t.equal((await migrate(db, [])).length, 2)
  const keys = await db.orm.select({ key: sql<string>`username_key` }).from(db.users)
  t.same(keys.map(({ key }) => key).sort(), ['gross', 'ssss', 'ssß', 'strasse', 'straße'])
  const names = {
    GROẞ: 'groß',
    groß: 'groß',
    GROSS: 'groß',
    STRAẞE: 'straße',
    Straße: 'strasse',
    ẞSS: 'ßss',
    SSẞ: 'ssß'
  }
  for (const [username, key] of Object.entries(names)) {
    t.equal((await app.post('/login', { username, password })).json().user?.pk, users[key], username)
  }
  t.same(fieldCodes(await register(app, 'Groß')), { username: ['username_taken'] })
})
