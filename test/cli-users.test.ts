/** The commands `users …`, in processes of their own, on both databases. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { Type } from '@sinclair/typebox'
import Fastify from 'fastify'
import type { UserFields } from '../schemas/user-fields.js'
import { migrateCommand } from '../src/cli/migrate.js'
import restAuth from '../src/index.js'
import { alice, password, patient, secret, t, type Test } from './support/build.js'
import { argumentsFor, optionsFile, root, run, type Outcome } from './support/command-line.js'
import { postgres, postgresUrl, sqlite, temporaryFile, type TestedDatabase } from './support/databases.js'
import { startMailServer } from './support/mail-server.js'

type Users = (...words: string[]) => Promise<Outcome>
interface Told {
  users: Users
  /** The same command, and what it prints with --json. */
  json: (...words: string[]) => Promise<any>
  database: string
  options: string
}

const userFields: UserFields = {
  gender: { schema: Type.Union([Type.Literal('M'), Type.Literal('F')]) },
  // In JSON, which the module is made of, a schema can't be optional.
  level: { schema: Type.Integer(), registration: 'hidden' }
}

/** Tells a story about users with a database that another process can open: PGlite has none. */
function story (title: string, tell: (t: Test, told: Told) => Promise<void>, more: object = {}): void {
  for (const tested of [sqlite, ...(postgresUrl ? [postgres] : [])]) {
    t.test(`${title} (${tested.name})`, async t => await tell(t, await prepare(t, tested, more)))
  }
}

async function prepare (t: Test, tested: TestedDatabase, more: object): Promise<Told> {
  const opened = await tested.open()
  t.teardown(opened.close)
  const database = tested === sqlite ? temporaryFile(t) : String(opened.database)
  const options = {
    database, secret, userFields, publicUrl: 'https://app.example', account: { username: 'optional' }, ...more
  }
  await migrateCommand(options, false)
  const file = optionsFile(t, `export const auth = ${JSON.stringify(options)}`)
  const users: Users = async (...words) => await run(['users', ...words, '--options', file])
  const json = async (...words: string[]) => JSON.parse((await users(...words, '--json')).stdout)
  return { users, json, database, options: file }
}

story('`users create` stores a user, who logs in with the password from the standard input', async (t, told) => {
  const { users, json, database, options } = told
  const created = await run([
    'users', 'create', '--email', 'Alice@Example.com', '--username', 'Alice', '--verified', '--field', 'gender=F',
    '--field', 'level=3', '--password-stdin', '--options', options
  ], { input: `${password}\n` })
  t.match(created, { code: 0, stdout: /^alice@example\.com \([\w-]+\): created\n$/, stderr: '' })
  t.match(await json('show', 'alice'), {
    user: { email: 'alice@example.com', email_verified: true, username: 'Alice', gender: 'F', level: 3 },
    sessions: [],
    socialAccounts: []
  })
  const app = Fastify(patient)
  t.teardown(() => app.close())
  await app.register(restAuth, { secret, database, docs: false, userFields, account: { username: 'optional' } })
  const body = { email: alice.email, password }
  t.equal((await app.inject({ method: 'POST', url: '/auth/login', body })).statusCode, 200)
  const shown = await users('show', alice.email)
  t.match(shown.stdout, /^ {2}gender +F$/m)
  t.match(shown.stdout, /^Sessions:\n {2}id .*\n {2}[\w-]+ /m)
  t.match(await json('end-sessions', alice.email), { ended: 1 })
  t.match((await users('end-sessions', alice.email)).stdout, /: 0 sessions ended\n$/)
})

story('`users create` names what is wrong, and stores nothing', async (t, { users, json }) => {
  for (const [words, stderr] of [
    [['--email', 'x', '--field', 'gender=X'], /^email: [^\n]+ gender: [^\n]+\n$/],
    [['--email', alice.email, '--field', 'gender=F', '--field', 'level=high'], /^level: [^\n]+\n$/],
    [['--email', alice.email, '--field', 'nonsense=1'], /^users create: there is no user field nonsense\n$/],
    [['--email', alice.email, '--field', 'nonsense'], /^users create: --field must be name=value, not "nonsense"\n$/],
    [['--email', alice.email, '--password-stdin'], /^users create: there is no password on the standard input\n$/],
    [['--password-stdin', '--no-password'], /^users create: give --password-stdin or --no-password, not both\n$/]
  ] as const) t.match(await users('create', ...words), { code: 1, stdout: '', stderr })
  t.equal((await users('list', '--json')).stdout, '')
  t.match(await users('create', '--password', 'x'), { code: 2, stderr: /^users create: unknown option '--password'\n/ })
  t.match(await json('create', '--email', alice.email, '--field', 'gender=F'), { email: alice.email })
  t.match(await users('create', '--email', alice.email, '--field', 'gender=F'), { code: 1, stderr: /^email: [^\n]+\n$/ })
})

story('`users list` shows pages of users, as a table or as lines of JSON', async (t, { users }) => {
  for (const name of ['ann', 'bob', 'cem']) {
    await users('create', '--email', `${name}@example.com`, '--username', name, '--field', 'gender=F')
  }
  const { stdout, stderr } = await users('list', '--limit', '2')
  const [head = '', first = '', second = '', ...rest] = stdout.split('\n')
  t.match(head, /^ {2}pk +email +username +verified +active +created +last login$/)
  t.equal(first.indexOf('ann@'), head.indexOf('email'), 'the columns are aligned')
  t.match(second, /bob@example\.com +bob +no +yes +\d{4}-\d\d-\d\d +never$/)
  t.same(rest, [''])
  const [, after = ''] = /--after (\S+)\n$/.exec(stderr) ?? []
  const lines = (await users('list', '--after', after, '--json')).stdout.trim().split('\n')
  t.match(lines.map(line => JSON.parse(line)), [{ email: 'cem@example.com' }])
  t.match((await users('list', '--search', 'BO', '--json')).stdout, /^\{[^\n]*bob@example\.com[^\n]*\}\n$/)
  t.match(await users('list', '--limit', 'many'), { code: 1, stderr: /^users\.list: limit must be [^\n]+\n$/ })
})

story('`users deactivate` and `activate` change who may log in; `delete` needs --yes', async (t, { users, json }) => {
  const { pk } = await json('create', '--email', alice.email, '--field', 'gender=F')
  t.match(await json('deactivate', alice.email), { pk, is_active: false })
  t.match(await users('send-reset', pk), { code: 1, stderr: /is deactivated; run users activate\n$/ })
  t.match(await users('activate', pk), { code: 0, stdout: `${alice.email} (${pk}): active\n` })
  t.match(await users('delete', pk), {
    code: 1, stderr: /^users delete: there is no terminal to confirm on; give --yes\n$/
  })
  t.same(await json('delete', alice.email, '--yes'), { pk, deleted: true })
  for (const command of ['show', 'deactivate', 'activate', 'send-reset', 'end-sessions', 'delete']) {
    t.same(await users(command, alice.email), {
      code: 1, stdout: '', stderr: `users ${command}: there is no user "${alice.email}"\n`
    })
  }
})

story('with integer keys, a number is a key', async (t, { users, json }) => {
  t.equal((await json('create', '--email', alice.email, '--field', 'gender=F')).pk, 1)
  t.match(await json('show', '1'), { user: { email: alice.email } })
  t.match(await users('show', '2'), { code: 1, stderr: 'users show: there is no user "2"\n' })
  t.match(await users('list', '--after', 'x'), { code: 1, stderr: /--after must be the key of a user\n$/ })
}, { account: { username: 'optional', pk: 'integer' } })

t.test('`users send-reset` sends the mail if the mail server can be reached, else leaves it to the app', async t => {
  const server = await startMailServer()
  t.teardown(server.close)
  const { users, json } = await prepare(t, sqlite, { mail: { transport: server.url } })
  await users('create', '--email', alice.email, '--field', 'gender=F')
  t.match(await users('send-reset', alice.email), { code: 0, stdout: /: sent to alice@example\.com\n$/ })
  t.match(server.mails, [{ to: alice.email, text: /https:\/\/app\.example\/auth\/password\/reset\/confirm\// }])
  t.match(await json('send-reset', alice.email, '--under', '/api'), { state: 'sent' })
  t.match(server.mails[1]?.text, /https:\/\/app\.example\/api\/auth\/password\/reset\/confirm\//)
  for (let sent = 2; sent < 5; sent++) await users('send-reset', alice.email)
  t.match(await json('send-reset', alice.email), { state: 'dropped', detail: /links mailed within the last hour/ })
  server.mode = 'reject-recipient'
  await users('create', '--email', 'bob@example.com', '--field', 'gender=M')
  t.match(await users('send-reset', 'bob@example.com'), { code: 1, stderr: /the mail server refused the mail \(E?[^\n]+\)\n$/ })
  await server.close()
  t.match(await users('send-reset', 'bob@example.com'), {
    code: 0, stdout: /: queued; your app sends the mail, because the mail server can't be used from here \([^\n]+\)\n$/
  })
  t.equal(server.mails.length, 5, 'other commands send no mail that is due')
})

t.test('without `publicUrl`, `users send-reset` leaves the mail to the app', async t => {
  const { users, json } = await prepare(t, sqlite, { publicUrl: undefined })
  await users('create', '--email', alice.email, '--field', 'gender=F')
  t.match(await json('send-reset', alice.email), { state: 'queued', detail: /publicUrl is not set/ })
})

t.test('a database that does not exist, or is not up to date, is refused and not created', async t => {
  const database = temporaryFile(t)
  t.match(await run(['users', 'list', '--database', database]), {
    code: 1, stdout: '', stderr: `users list: there is no ${database}; create it with: npx fastify-rest-auth migrate\n`
  })
  await migrateCommand({ database, userFields: {} }, false)
  t.match(await run(['users', 'list', '--database', database]), {
    code: 1, stderr: /^fastify-rest-auth: database: \d+ migration statements are pending; [^\n]+\n$/
  })
})

t.test('control characters in what users chose do not reach the terminal', async t => {
  const { users, json } = await prepare(t, sqlite, { userFields: { motto: { schema: Type.String() } } })
  await users('create', '--email', alice.email, '--field', 'motto=\u001b[2J\u202eevil')
  const { stdout } = await users('show', alice.email)
  for (const character of ['\u001b', '\u202e']) t.notOk(stdout.includes(character))
  t.equal((await json('show', alice.email)).user.motto, '\u001b[2J\u202eevil')
})

// `script` of util-linux gives the command a terminal.
const skip = process.platform === 'linux' ? false : 'needs script of util-linux'

/** Runs a command on a terminal, and types each answer once its question is shown. */
async function onTerminal (words: string[], answers: ReadonlyArray<readonly [question: string, answer: string]>) {
  const quoted = [process.execPath, ...argumentsFor(words)].map(word => `'${word.replaceAll("'", "'\\''")}'`).join(' ')
  const options = ['--quiet', '--return', '--echo', 'never', '--command', quoted, '/dev/null']
  const child = spawn('script', options, { cwd: root })
  let shown = ''
  const output: Readable = child.stdout.setEncoding('utf8')
  output.on('data', chunk => { shown += chunk })
  const closed = once(child, 'close')
  const ended = closed.then(() => { throw new Error(shown) })
  ended.catch(() => {})
  for (const [question, answer] of answers) {
    while (!shown.includes(question)) await Promise.race([once(output, 'data'), ended])
    child.stdin.write(`${answer}\r`)
  }
  const [code] = await closed
  return { code, shown }
}

t.test('on a terminal, the password is asked for twice and not shown, and `delete` asks first', { skip }, async t => {
  const { json, options } = await prepare(t, sqlite, {})
  const create = ['users', 'create', '--email', alice.email, '--field', 'gender=F', '--options', options]
  const different = await onTerminal(create, [['Password', password], ['Again', 'other']])
  t.match(different, { code: 1, shown: /the two passwords are different/ })
  const created = await onTerminal(create, [['Password', password], ['Again', password]])
  t.match(created, { code: 0, shown: /alice@example\.com .*: created/ })
  for (const { shown } of [different, created]) t.notMatch(shown, password)
  t.match(await onTerminal(create, [['Password', '\u0003']]), { code: 1, shown: /cancelled/ })
  const words = ['users', 'delete', alice.email, '--options', options]
  t.match(await onTerminal(words, [['Type yes', 'no']]), { code: 1, shown: /users delete: cancelled/ })
  t.match(await json('show', alice.email), { user: { email: alice.email } })
  t.match(await onTerminal(words, [['Type yes', 'yes']]), { code: 0, shown: /: deleted/ })
})
