/** How a mail leaves the process: to a real SMTP server, working or failing, and by every other transport. */
import { readFileSync, writeFileSync } from 'node:fs'
import { createTransport } from 'nodemailer'
import { formatSender, parseSender } from '../src/lib/mail-address.js'
import { type MailMessage, PermanentMailError } from '../src/mail/message.js'
import { openTransport } from '../src/mail/transport.js'
import { t, type Test } from './support/build.js'
import { temporaryFile } from './support/databases.js'
import { startMailServer, type MailServer, type MailServerMode, type MailServerOptions } from './support/mail-server.js'

const link = `https://app.example/confirm/${'Zk3_x-9Q'.repeat(6)}?next=%2Fhome`
const message: MailMessage = {
  to: 'alice@example.com',
  from: { name: 'App', address: 'noreply@app.example' },
  subject: 'Confirm your address',
  text: `Hello Alice,\n\nfollow this link:\n${link}\n`,
  html: `<p>Hello Alice, <a href="${link}">follow this link</a></p>`,
  headers: { 'Auto-Submitted': 'auto-generated' },
  messageId: '<018f-1@app.example>',
  date: new Date('2026-11-23T12:00:00.000Z')
}

async function serve (t: Test, options?: MailServerOptions): Promise<MailServer> {
  const server = await startMailServer(options)
  t.teardown(() => server.close())
  return server
}

async function open (t: Test, option: unknown, ...rest: [print?: (text: string) => void, limit?: number]) {
  const transport = await openTransport(option, ...rest)
  t.teardown(() => transport.close())
  return transport
}

type SendError = Error & { code?: string, responseCode?: number }

/** The error that a promise rejects with. */
const failure = async (promise: Promise<unknown>): Promise<SendError> =>
  await promise.then(() => new Error('it succeeded'), (error: SendError) => error)

t.test('a mail arrives at one recipient, with both parts, its headers and its Message-ID', async t => {
  const server = await serve(t)
  const transport = await open(t, server.url)
  await transport.send(message)
  const [mail] = server.mails
  t.same(server.mails.length, 1)
  t.same(mail?.envelope, { from: 'noreply@app.example', to: ['alice@example.com'] })
  t.match(mail, {
    to: 'alice@example.com',
    from: '"App" <noreply@app.example>',
    subject: message.subject,
    html: message.html,
    messageId: message.messageId
  })
  t.equal(mail?.text.trimEnd(), message.text.trimEnd(), 'the link is whole')
  t.equal(mail?.headers.get('auto-submitted'), 'auto-generated')
  t.same(mail?.headers.get('date'), message.date)
  t.notOk(mail?.headers.has('list'), 'a password reset has no List headers')
  t.same(
    server.commands.filter(command => /^(MAIL|RCPT)/.test(command)),
    ['MAIL FROM:<noreply@app.example>', 'RCPT TO:<alice@example.com>']
  )

  await transport.send({ ...message, html: undefined })
  t.match(server.mails[1], { html: '', messageId: message.messageId }, 'a mail may be text alone')
  t.match(server.mails[1]?.raw, /^Content-Type: text\/plain; charset=utf-8$/mi)
})

t.test('a recipient that is not exactly one address is refused, and the mail reaches nobody', async t => {
  const hostile = [
    'a@b.co\r\nBcc: evil@x.y', 'a@b.co,evil@x.y', 'a@b.co, evil@x.y', 'a@b.co;evil@x.y', 'a@b.co <evil@x.y>',
    '<evil@x.y>', '"a,b"@c.co', 'a@b.co@x.y', 'evil@x.y\0', 'a b@x.y', 'a@[127.0.0.1]', 'group:evil@x.y;',
    'a(evil@x.y)@b.co', '=?utf-8?q?evil?=@x.y>', 'ü@x.y', 'a@', '@x.y', '', `${'a'.repeat(251)}@x.y`
  ]
  const server = await serve(t)
  const reached: unknown[] = []
  for (const option of [server.url, 'console', (mail: unknown) => { reached.push(mail) }]) {
    const transport = await open(t, option, text => { reached.push(text) })
    for (const to of hostile) {
      t.type(await failure(transport.send({ ...message, to })), PermanentMailError, JSON.stringify(to))
    }
  }
  t.same(reached, [])
  t.equal(server.connections, 0)
})

t.test('a hostile subject cannot add a header', async t => {
  const server = await serve(t)
  const subjects: string[] = []
  const hostile = [
    'Hello\r\nBcc: evil@x.y\r\n\r\nNew body', 'Hello\nBcc: evil@x.y', 'Hello\rBcc: evil@x.y', 'Hello\0\x1b[2J',
    'Hello\u2028Bcc: evil@x.y', 'Grüße 🎉 an alle, die diesen sehr, sehr langen Betreff bis zu seinem Ende lesen'
  ]
  for (const option of [server.url, (mail: { subject: string }) => { subjects.push(mail.subject) }]) {
    const transport = await open(t, option)
    for (const subject of hostile) await transport.send({ ...message, subject })
  }
  t.same(subjects, [
    'Hello Bcc: evil@x.y New body', 'Hello Bcc: evil@x.y', 'Hello Bcc: evil@x.y', 'Hello [2J', 'Hello Bcc: evil@x.y',
    hostile[5]
  ])
  t.same(server.mails.map(mail => mail.subject), subjects)
  for (const mail of server.mails) {
    t.notOk(mail.headers.has('bcc'))
    t.equal(mail.text.trimEnd(), message.text.trimEnd())
  }
  t.same(
    new Set(server.commands.filter(command => command.startsWith('RCPT'))), new Set(['RCPT TO:<alice@example.com>'])
  )
})

t.test('a sender is one address, with or without a name', async t => {
  const senders: Array<[from: string, name: string, address: string, formatted?: string]> = [
    ['noreply@app.example', '', 'noreply@app.example'],
    ['noreply@localhost', '', 'noreply@localhost'],
    ['  App <noreply@app.example> ', 'App', 'noreply@app.example', 'App <noreply@app.example>'],
    ['<noreply@app.example>', '', 'noreply@app.example', 'noreply@app.example'],
    ['"Smith, Wesson & \\"Sons\\"" <noreply@app.example>', 'Smith, Wesson & "Sons"', 'noreply@app.example'],
    ['Acme Inc. <noreply@app.example>', 'Acme Inc.', 'noreply@app.example', '"Acme Inc." <noreply@app.example>'],
    ['Bäckerei Müller 🥐 <no.reply+x@app.example>', 'Bäckerei Müller 🥐', 'no.reply+x@app.example']
  ]
  const server = await serve(t)
  const transport = await open(t, server.url)
  for (const [from, name, address, formatted = from] of senders) {
    const sender = parseSender(from)
    t.same(sender, { name, address })
    t.equal(formatSender(sender), formatted)
    t.same(parseSender(formatted), sender, 'there and back')
    await transport.send({ ...message, from: sender })
    const mail = server.mails.at(-1)
    t.same((mail?.headers.get('from') as { value: unknown }).value, [{ name, address }])
    t.equal(mail?.envelope.from, address)
  }
  t.match(server.mails[4]?.raw, 'From: "Smith, Wesson & \\"Sons\\"" <noreply@app.example>')
  t.match(server.mails[6]?.raw, /^From: =\?UTF-8\?Q\?B=C3=A4ckerei_/m, 'RFC 2047')
})

t.test('a sender that is not exactly one address is refused', async t => {
  const wrong = [
    '', 'App', 'App <>', 'App <noreply>', 'noreply@', 'a@b.co, c@d.co', 'A <a@b.co>, C <c@d.co>',
    'Smith, John <a@b.co>', 'a@b.co <c@d.co>', 'App <a@b.co> x', 'App <a@b.co', '"App <a@b.co>',
    'App\r\nBcc: evil@x.y <a@b.co>', '"App\r\nBcc: evil@x.y" <a@b.co>', 'App\0 <a@b.co>', '"a,b"@c.co',
    'group: a@b.co;', 'App <a@b..co>', 'App <a@-b.co>', 'App <.a@b.co>', 'noreply@bücher.example'
  ]
  const line = 'must be one address such as noreply@app.example or App <noreply@app.example>'
  for (const from of wrong) t.throws(() => parseSender(from), { message: line }, JSON.stringify(from))
})

t.test('the SMTP login can be given in the URL, percent-encoded', async t => {
  const pass = 'p@ss:w/rd?#%&+ ü'
  const server = await serve(t, { auth: { user: 'app@app.example', pass } })
  await (await open(t, server.url)).send(message)
  t.equal(server.mails.length, 1)

  const wrong = new URL(server.url)
  wrong.password = 's3cret-pass'
  server.refusal = '5.7.8 no such login s3cret-pass'
  for (const url of [wrong.href, `${wrong.href}?pool=true`]) {
    const error = await failure((await open(t, url)).send(message))
    t.equal(error.message, 'EAUTH 535: Invalid login', "the server's words are left out")
    t.notMatch(error, PermanentMailError, 'a wrong login can be corrected, so the mail is retried')
  }
  t.equal(server.mails.length, 1)
})

t.test('a server with an untrusted certificate is refused, unless the app allows it', async t => {
  const trusting = { tls: { rejectUnauthorized: false } }
  for (const tls of ['starttls', 'implicit'] as const) {
    const server = await serve(t, { tls })
    const error = await failure((await open(t, server.url)).send(message))
    t.match(error, { code: 'ESOCKET', message: /certificate/ }, tls)
    t.notMatch(error, PermanentMailError)
    t.equal(server.mails.length, 0, 'not sent in the clear instead')
    await (await open(t, `${server.url}?tls.rejectUnauthorized=false`)).send(message)
    await (
      await open(t, { host: server.host, port: server.port, secure: tls === 'implicit', ...trusting })
    ).send(message)
    t.equal(server.mails.length, 2)
  }
  const plain = await serve(t)
  t.notMatch((await failure((await open(t, `${plain.url}?requireTLS=true`)).send(message))).message, 'it succeeded')
  t.equal(plain.mails.length, 0)
})

t.test('a pool reuses its connection until it is closed', async t => {
  const server = await serve(t)
  for (const option of [
    `${server.url}?pool=true&maxConnections=1`, { host: server.host, port: server.port, pool: true, maxConnections: 1 }
  ]) {
    const before = server.connections
    const transport = await open(t, option)
    await Promise.all([transport.send(message), transport.send(message), transport.send(message)])
    t.equal(server.connections, before + 1)
    await transport.close()
    t.match(await failure(transport.send(message)), { message: 'ECONNECTION: Connection pool was closed' })
  }
  t.equal(server.mails.length, 6)
})

t.test("the host's own transporter sends the mail, and is left open on close", async t => {
  const server = await serve(t)
  const transporter = createTransport({ host: server.host, port: server.port, pool: true })
  t.teardown(() => transporter.close())
  const transport = await open(t, transporter)
  await transport.send(message)
  await transport.close()
  await transporter.sendMail({ to: 'bob@example.com', from: 'noreply@app.example', text: 'of the app' })
  t.same(server.mails.map(mail => mail.to), ['alice@example.com', 'bob@example.com'])
})

t.test('nodemailer plugins, SES, JSON and sendmail work as transports', async t => {
  const sent: string[] = []
  let closed = false
  const plugin = {
    name: 'plugin',
    version: '1',
    send (mail: { message: { build: () => Promise<Buffer> } }, done: (error: Error | null, info?: object) => void) {
      mail.message.build().then(raw => { sent.push(raw.toString()); done(null, {}) }, done)
    },
    close () { closed = true }
  }
  const transport = await open(t, plugin)
  await transport.send(message)
  await transport.close()
  t.match(sent[0], /^To: alice@example\.com$/m)
  t.ok(closed)

  const commands: Array<{ Destination: object }> = []
  const SES = {
    sesClient: {
      send: async (command: { input: { Destination: object } }) => {
        commands.push(command.input)
        return { MessageId: '1' }
      }
    },
    SendEmailCommand: function (this: { input: object }, input: object) { this.input = input }
  }
  await (await open(t, { SES })).send(message)
  t.same(commands[0]?.Destination, { ToAddresses: ['alice@example.com'] })

  await (await open(t, { jsonTransport: true })).send(message)
  const path = temporaryFile(t)
  writeFileSync(path, '#!/bin/sh\necho "$@" > "$0.arguments"\ncat > "$0.mail"\n', { mode: 0o755 })
  await (await open(t, { sendmail: true, path })).send(message)
  t.equal(readFileSync(`${path}.arguments`, 'utf8'), '-i -f noreply@app.example alice@example.com\n')
  t.match(readFileSync(`${path}.mail`, 'utf8'), /^To: alice@example\.com$/m)
})

t.test('a transport function receives the mail', async t => {
  const given: unknown[] = []
  const transport = await open(t, async (mail: unknown) => { given.push(mail) })
  await transport.send({ ...message, from: { name: 'Acme, Inc.', address: 'noreply@app.example' } })
  await transport.send({ ...message, html: undefined })
  t.same(given[0], {
    to: 'alice@example.com',
    from: '"Acme, Inc." <noreply@app.example>',
    subject: message.subject,
    text: message.text,
    html: message.html,
    headers: {
      'Auto-Submitted': 'auto-generated',
      'Message-ID': message.messageId,
      Date: 'Mon, 23 Nov 2026 12:00:00 +0000'
    }
  })
  t.match(given[1], { from: 'App <noreply@app.example>', html: undefined })
})

t.test('an error of a transport function is redacted, and says whether to retry', async t => {
  const request = { headers: { authorization: 'Bearer s3cret' }, data: message.text }
  const thrown: Array<[unknown, string, boolean]> = [
    [Object.assign(new Error('answered 503'), { config: request }), 'answered 503', false],
    [
      Object.assign(new Error('answered 422'), { permanent: true, code: 'inactive', cause: request }),
      'inactive: answered 422', true
    ],
    [new TypeError(`no fetch to\n${link}`), 'no fetch to …', false],
    ['down', 'down', false],
    [undefined, 'undefined', false]
  ]
  for (const [error, told, forGood] of thrown) {
    for (const option of [() => { throw error }, async () => { throw error }]) {
      const failed = await failure((await open(t, option)).send(message))
      t.equal(failed.message, told)
      t.equal(failed instanceof PermanentMailError, forGood, told)
      t.notMatch(JSON.stringify([failed, Object.entries(failed), failed.stack]), /s3cret|Zk3_/)
      if (error instanceof Error) t.match(failed.stack, 'mail-transport.test.ts', 'the stack is kept')
    }
  }
})

t.test("'console' prints the mail as readable text, with its link on one line", async t => {
  const printed: string[] = []
  const transport = await open(t, 'console', text => { printed.push(text) })
  await transport.send({ ...message, text: `Hello \x1b[31mAlice\x07,\n\n${link}\n` })
  const rule = '─'.repeat(72)
  t.same(printed, [
    `${rule}\nFrom: App <noreply@app.example>\nTo: alice@example.com\nSubject: Confirm your address\n\n` +
    `Hello [31mAlice,\n\n${link}\n${rule}\n`
  ])
})

const faults: Array<[mode: MailServerMode, forGood: boolean, message: RegExp]> = [
  ['refuse-connection', false, /^(ESOCKET|ECONNECTION): /],
  ['silent', false, /^ETIMEDOUT: Greeting never received$/],
  ['slow', false, /^ETIMEDOUT: not sent within 0\.2 s$/],
  ['reject-recipient', true, /^EENVELOPE 550: Can't send mail - all recipients were rejected: 550 5\.7\.1 Not here$/],
  ['reject-sender', false, /^EENVELOPE 550: Mail command failed: 550 5\.7\.1 Not here$/],
  ['reject-data', true, /^EMESSAGE 554: Message failed: 554 5\.7\.1 Not here$/],
  ['temporary', false, /^EENVELOPE 451: Can't send mail - all recipients were rejected: 451 5\.7\.1 Not here$/],
  ['drop-after-data', false, /^ECONNECTION: Connection closed unexpectedly$/],
  ['lose-answer', false, /^ECONNECTION: Connection closed unexpectedly$/]
]

t.test('each failure of a server is an error within the time limit that says whether to retry', async t => {
  for (const pool of [false, true]) {
    for (const [mode, forGood, expected] of faults) {
      const server = await serve(t)
      server.mode = mode
      const greetingTimeout = mode === 'silent' ? 200 : 5000
      const transport = await open(
        t, { host: server.host, port: server.port, pool, maxRequeues: 0, greetingTimeout }, undefined,
        mode === 'slow' ? 200 : 30_000
      )
      const error = await failure(transport.send(message))
      t.match(error.message, expected, `${mode}, pool ${pool}`)
      t.equal(error instanceof PermanentMailError, forGood, mode)
      t.equal(server.mails.length, mode === 'lose-answer' ? 1 : 0, 'a pool does not send it again by itself')
      if (mode === 'slow') continue
      server.mode = 'ok'
      await transport.send(message)
      t.equal(server.mails.at(-1)?.messageId, message.messageId, 'once the server is well, the mail goes out')
    }
  }
})

t.test('a refused connection fails at once', async t => {
  const server = await serve(t)
  await server.close()
  const error = await failure((await open(t, server.url)).send(message))
  t.match(error, { code: 'ESOCKET', message: `ESOCKET: connect ECONNREFUSED 127.0.0.1:${server.port}` })
})

t.test('a server can reject one recipient and accept another', async t => {
  const server = await serve(t)
  Object.assign(server, { mode: 'reject-recipient', rejected: 'bob@example.com' })
  const transport = await open(t, server.url)
  await transport.send(message)
  t.type(await failure(transport.send({ ...message, to: 'bob@example.com' })), PermanentMailError)
  t.same(server.mails.map(mail => mail.to), ['alice@example.com'])
})

t.test('sending stops at the time limit, with every kind of transport', async t => {
  const never = async () => await new Promise(() => {})
  const stuck = [never, { name: 'stuck', version: '1', send: () => {} }, { sendMail: never }]
  for (const option of stuck) {
    const error = await failure((await open(t, option, undefined, 20)).send(message))
    t.equal(error.message, 'ETIMEDOUT: not sent within 0.02 s')
    t.notMatch(error, PermanentMailError)
  }
})

t.test('sending a mail leaves no timer behind', async t => {
  const timers = () => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length
  const transport = await open(t, async () => {})
  const before = timers()
  await transport.send(message)
  t.equal(timers(), before)
})

t.test('the SMTP timeouts are 5 and 15 seconds, unless the host sets its own', async t => {
  const server = await serve(t)
  const timeoutsOf = async (own: object) => {
    let seen: Record<string, unknown> = {}
    const getSocket = (options: typeof seen, done: (error: null, socket: false) => void) => {
      seen = options
      done(null, false)
    }
    await (await open(t, { host: server.host, port: server.port, getSocket, ...own })).send(message)
    return [seen.dnsTimeout, seen.connectionTimeout, seen.greetingTimeout, seen.socketTimeout]
  }
  t.same(await timeoutsOf({}), [5000, 5000, 5000, 15000])
  t.same(await timeoutsOf({ connectionTimeout: 700, socketTimeout: 800 }), [5000, 700, 5000, 800])
  server.mode = 'silent'
  t.match(await failure((await open(t, `${server.url}?greetingTimeout=50`)).send(message)), {
    message: 'ETIMEDOUT: Greeting never received'
  })
})

t.test("an error leaves out links, tokens and passwords in the server's reply", async t => {
  const server = await serve(t)
  server.refusal = `5.7.1 blocked ${link} and <token=${'Zk3_x-9Q'.repeat(6)}>, code 123456, from smtp://app:s3cret@mail.example`
  for (const mode of ['reject-recipient', 'reject-data', 'temporary', 'reject-sender'] as const) {
    server.mode = mode
    const error = await failure((await open(t, server.url)).send(message))
    t.match(error.message, /^E\w+ \d{3}: .+: \d{3} 5\.7\.1 blocked … and <…>, code …, from …$/)
    t.notMatch(JSON.stringify([error, Object.entries(error), error.stack]), /Zk3_|s3cret|123456/)
  }
})

t.test('an invalid transport is refused at start, without showing a password', async t => {
  const choices =
    "mail.transport: must be 'console', an smtp:// or smtps:// URL (with its password percent-encoded), nodemailer's options, transporter or plugin, or a function"
  const noHost = 'mail.transport: has no host, and no other way to send that nodemailer knows'
  const refused: Array<[unknown, string | RegExp]> = [
    ...[
      undefined, null, true, 7, '', 'Console', 'stdout', 'mail.example', 'http://mail.example', 'smtp:mail.example',
      'smtp://', 'smtp://:587', 'smtp://app:s3cret/x@mail.example', 'smtp://app:12#s3cret@mail.example',
      'smtp://app:12?s3cret@mail.example', 'smtp://mail.example/inbox', ['smtp://mail.example']
    ].map((option): [unknown, string] => [option, choices]),
    ...[
      {},
      { host: undefined, port: 587 },
      { host: '', pool: true },
      { service: 'gmial' },
      { hots: 'mail.example', auth: { pass: 's3cret' } },
      { sendMail: true }
    ].map((option): [unknown, string] => [option, noHost]),
    [{ SES: { ses: {}, aws: {} } }, /^mail\.transport: ECONFIG: Using legacy SES configuration/],
    [{ SES: {} }, /^mail\.transport: ECONFIG: Missing SES configuration/]
  ]
  for (const [option, line] of refused) {
    const error = await failure(openTransport(option))
    t.match(error.message.replace('fastify-rest-auth: ', ''), line, JSON.stringify(option))
    t.notMatch(error.message, 's3cret')
  }
})

/** Waits until a condition holds; if it never does, tap's timeout ends the wait. */
async function until (holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(resolve => setImmediate(resolve))
}

t.test('closing aborts the mail under way and closes every connection', async t => {
  const sockets = () => process.getActiveResourcesInfo().filter(name => name === 'TCPSocketWrap').length
  const before = sockets()
  for (const pool of [false, true]) {
    const server = await startMailServer()
    const transport = await openTransport({ host: server.host, port: server.port, pool })
    await transport.send(message)
    server.mode = 'silent'
    const sending = failure(transport.send(message))
    await until(() => pool || server.connections === 2)
    await transport.close()
    t.match((await sending).message, /^ECONNECTION: the server stopped/)
    await server.close()
  }
  await until(() => sockets() === before)
})
