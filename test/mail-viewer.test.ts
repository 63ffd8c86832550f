import { createHash } from 'node:crypto'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import Fastify, { type FastifyServerOptions } from 'fastify'
import { type ViewedMail, createInbox } from '../src/mail/inbox.js'
import { viewerScript } from '../src/mail/viewer-script.js'
import { addMailViewer } from '../src/mail/viewer.js'
import { patient, t, type Test } from './support/build.js'

const mail = (id: string, rest: Partial<ViewedMail> = {}): ViewedMail => ({
  id,
  at: new Date('2026-11-23T12:00:00.000Z'),
  to: 'alice@example.com',
  from: 'Acme Books <noreply@example.com>',
  subject: `Subject of ${id}`,
  text: `Text of ${id}`,
  html: `<!doctype html><html><head></head><body>HTML of ${id}</body></html>`,
  headers: { 'Message-ID': `<${id}@example.com>` },
  ...rest
})

function build (t: Test, mails: ViewedMail[], server: FastifyServerOptions = {}) {
  const app = Fastify(server)
  t.teardown(() => app.close())
  const inbox = createInbox()
  mails.forEach(inbox.add)
  addMailViewer(app, '/docs/mail', inbox)
  return { app, inbox, get: async (path = '') => await app.inject(`/docs/mail${path}`) }
}

t.test('an inbox keeps the latest 50 mails, newest first', async t => {
  const inbox = createInbox()
  for (let number = 1; number <= 53; number++) inbox.add(mail(`m${number}`))
  t.same([inbox.list().length, inbox.list()[0]?.id, inbox.list().at(-1)?.id], [50, 'm53', 'm4'])
  t.equal(inbox.find('m3'), undefined)
  inbox.list().pop()
  t.equal(inbox.list().length, 50, 'list() returns a copy')
})

t.test('a mail that is sent again replaces its earlier copy and becomes the newest', async t => {
  const inbox = createInbox(3)
  for (const id of ['a', 'b', 'c']) inbox.add(mail(id))
  inbox.add(mail('a', { subject: 'again' }))
  t.same(inbox.list().map(({ id }) => id), ['a', 'c', 'b'], 'no other mail is dropped')
  t.equal(inbox.find('a')?.subject, 'again')
})

t.test('the list shows the newest mail first, each with a link, and beside it the newest mail itself', async t => {
  const { get, inbox } = build(t, [])
  t.match((await get()).body, /No mail yet[^]*register, or ask for a password reset/)
  inbox.add(mail('a'))
  inbox.add(mail('b/2 ?'))
  const { body } = await get()
  t.match(
    body,
    /<a href="mail\/b%2F2%20%3F" aria-current="true"><b>Subject of b\/2 \?<\/b>[^]*<a href="mail\/a"><b>Subject of a<\/b> <span>to alice@example\.com<\/span> <time datetime="2026-11-23T12:00:00\.000Z">2026-11-23 12:00:00 UTC</
  )
  t.match(body, /<h2>Subject of b\/2 \?<\/h2>[^]*<iframe [^>]* src="mail\/b%2F2%20%3F\/html">/)
  const read = await get('/a')
  t.match(read.body, /<a href="..\/mail\/a" aria-current="true">[^]*<h2>Subject of a<\/h2>/)
  t.match(read.body, '<a href="../mail/b%2F2%20%3F"><b>', 'the list is there, too')
})

t.test('a mail is shown one part at a time, starting with its HTML if it has any', async t => {
  const { get } = build(t, [mail('a'), mail('plain', { html: undefined })])
  const { body } = await get('/a')
  for (const text of [
    'alice@example.com', 'Acme Books &lt;noreply@example.com&gt;', '<a href="../mail">',
    '<a href="../mail/a?part=html" aria-current="page">', '<a href="../mail/a?part=text">'
  ]) {
    t.match(body, text)
  }
  t.match(
    body,
    '<iframe class="part" title="HTML" sandbox="allow-popups allow-popups-to-escape-sandbox" ' +
    'src="../mail/a/html"></iframe>'
  )
  t.match((await get('/a?part=text')).body, '<pre class="part" tabindex="0">Text of a</pre>')
  t.match((await get('/a?part=headers')).body, '<dt>Message-ID</dt><dd>&lt;a@example.com&gt;</dd>')
  for (const path of ['/plain', '/plain?part=html', '/plain?part=x&part=y', '/plain?part=constructor']) {
    const { body } = await get(path)
    t.match(body, '<pre class="part" tabindex="0">Text of plain</pre>')
    t.notMatch(body, /<iframe|\?part=html/)
  }
})

t.test('the HTML of a mail is sandboxed in its own origin without scripts, and its links open a tab', async t => {
  const { get } = build(t, [mail('a'), mail('bare', { html: '<p>Hi' }), mail('plain', { html: undefined })])
  const { body, headers } = await get('/a/html')
  t.equal(body, '<!doctype html><base target="_blank"><html><head></head><body>HTML of a</body></html>')
  t.equal(
    headers['content-security-policy'],
    "default-src 'none'; style-src 'unsafe-inline'; img-src data: https: http:; frame-ancestors 'self'; " +
    'sandbox allow-popups allow-popups-to-escape-sandbox'
  )
  t.match(headers, {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff'
  })
  t.equal((await get('/bare/html')).body, '<base target="_blank"><p>Hi')
  t.equal((await get('/plain/html')).statusCode, 404)
})

t.test('a hostile mail is shown, and cannot run a script in the viewer', async t => {
  const script = '</title></pre></style><script>alert(1)</script>'
  const escaped = '&lt;/title&gt;&lt;/pre&gt;&lt;/style&gt;&lt;script&gt;alert(1)&lt;/script&gt;'
  const { get } = build(t, [
    mail('"><script>', {
      to: script,
      from: script,
      subject: script,
      html: script,
      headers: { [script]: script },
      text: `${script} javascript:alert(1) data:text/html,x http://a.example/"onclick="x`
    })
  ])
  const id = encodeURIComponent('"><script>')
  for (const path of [
    '', `/${id}`, `/${id}?part=text`, `/${id}?part=headers`, '/%3Cscript%3E', `/${id}?part=${script}`
  ]) {
    const { body, headers } = await get(path)
    t.notMatch(body, /href="(?:javascript|data):| onclick="/)
    const scripts = [...body.matchAll(/<script[^>]*>([^]*?)<\/script>/g)].map(([, script = '']) => script)
    t.same(scripts, path === '/%3Cscript%3E' ? [] : [viewerScript], 'no script but ours')
    const style = /<style>([^]*?)<\/style>/.exec(body)?.[1] ?? ''
    const hashOf = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`
    t.equal(
      headers['content-security-policy'],
      `default-src 'none'; style-src ${hashOf(style)}; ` + scripts.map(one => `script-src ${hashOf(one)}; `).join('') +
      "frame-src 'self'; connect-src 'self'; form-action 'none'; " +
      "base-uri 'none'; frame-ancestors 'none'"
    )
    t.equal(headers['cache-control'], 'no-store')
  }
  t.match((await get()).body, `<b>${escaped}</b>`)
  t.match((await get(`/${id}?part=headers`)).body, `<dt>${escaped}</dt><dd>${escaped}</dd>`)
  t.match((await get(`/${id}?part=text`)).body, `${escaped} javascript:alert(1)`)
})

for (const [text, address, shown] of [
  [
    'Confirm: https://app.example/confirm?key=aB3_-&x=1.', 'https://app.example/confirm?key=aB3_-&amp;x=1',
    'https://app.example/confirm?key=aB3_-&amp;x=1</a>.</pre>'
  ],
  ['(HTTP://app.example/)', 'HTTP://app.example/', 'HTTP://app.example/</a>)</pre>'],
  [`http://localhost:3000/${'x'.repeat(500)}-\nBye`, `http://localhost:3000/${'x'.repeat(500)}-`, '-</a>\nBye</pre>'],
  ['<https://app.example/#a>', 'https://app.example/#a', '#a</a>&gt;</pre>']
] as const) {
  t.test(`a URL in the text becomes one link that opens a tab: ${text.slice(0, 60)}`, async t => {
    const { body } = await build(t, [mail('a', { text })]).get('/a?part=text')
    t.match(body, `<a href="${address}" target="_blank" rel="noopener noreferrer">`)
    t.match(body, shown)
  })
}

t.test('a mail is shown with the links of its text, each link once', async t => {
  const { get } = build(t, [
    mail('a', {
      text: 'Log in at https://app.example/login.\n\nhttps://app.example/reset?uid=1&token=-x_\n\nOr at https://app.example/login'
    }),
    mail('none', { text: 'javascript:alert(1) ftp://app.example/' })
  ])
  const links = [...(await get('/a')).body.matchAll(/<p>(<a [^>]*>)([^<]*)<\/a><\/p>/g)].map(([, tag, text]) => [tag, text])
  t.same(links, ['https://app.example/login', 'https://app.example/reset?uid=1&amp;token=-x_'].map(link =>
    [`<a href="${link}" target="_blank" rel="noopener noreferrer">`, link]))
})

t.test('an unknown mail returns 404 with a link back to the list', async t => {
  const { get } = build(t, [mail('a')])
  for (const [path, list] of [['/b', '../mail'], ['/b/html', '../../mail'], ['/b?x=/', '../mail']] as const) {
    const { statusCode, body } = await get(path)
    t.equal(statusCode, 404)
    t.match(body, `<a href="${list}">All mail</a>`)
  }
})

t.test('links lead to the same pages if paths end in a slash', async t => {
  const { get } = build(t, [mail('a')], { routerOptions: { ignoreTrailingSlash: true } })
  t.match((await get('/')).body, '<a href="../mail/a" aria-current="true">')
  t.match((await get('/a/')).body, /<a href="..\/..\/mail">[^]* src="..\/..\/mail\/a\/html"/)
  t.match((await build(t, [mail('a')]).get('/')).body, '<a href="../mail/a" aria-current="true">')
})

for (const first of ['Swagger UI', 'the viewer']) {
  t.test(`the viewer works below Swagger UI, and is in no OpenAPI document: ${first} is registered first`, async t => {
    const app = Fastify(patient)
    t.teardown(() => app.close())
    await app.register(swagger)
    if (first === 'the viewer') addMailViewer(app, '/docs/mail', createInbox())
    await app.register(async scope => { await scope.register(swaggerUi, { routePrefix: '/docs' }) })
    if (first !== 'the viewer') addMailViewer(app, '/docs/mail', createInbox())
    t.match((await app.inject('/docs/mail')).body, 'No mail yet')
    t.match((await app.inject('/docs')).body, 'swagger-ui')
    t.equal((await app.inject('/docs/static/swagger-ui.css')).statusCode, 200)
    t.same((await app.inject('/docs/json')).json().paths, {})
  })
}

t.test('requests to the viewer are not logged', async t => {
  const lines: string[] = []
  const { get } = build(t, [mail('a')], { logger: { level: 'info', stream: { write: line => { lines.push(line) } } } })
  for (const path of ['', '/a', '/a/html', '/b']) await get(path)
  t.same(lines, [])
})

t.test('the mails are shown only to a browser on this machine that asked for this machine', async t => {
  const { app } = build(t, [])
  const statusOf = async (remoteAddress: string, host: string, headers: Record<string, string> = {}) =>
    (await app.inject({ url: '/docs/mail', remoteAddress, headers: { host, ...headers } })).statusCode
  for (const [peer, host] of [
    ['127.0.0.1', 'localhost:3000'], ['127.0.0.1', '127.0.0.1'], ['::1', '[::1]:3000'],
    ['::ffff:127.0.0.1', 'LOCALHOST'], ['127.9.9.9', 'app.localhost:3000']
  ] as const) t.equal(await statusOf(peer, host), 200, `${peer} asks for ${host}`)

  for (const [peer, host] of [
    ['192.0.2.7', 'localhost:3000'], ['::ffff:192.0.2.7', 'localhost'], ['2001:db8::1', '[::1]'],
    ['127.0.0.1', 'app.example'], ['127.0.0.1', 'localhost.app.example'], ['127.0.0.1', '127.0.0.1.app.example'],
    ['127.0.0.1', 'user@app.example'],
    ['127.0.0.1', '0.0.0.0'], ['127.0.0.1', '192.0.2.7']
  ] as const) t.equal(await statusOf(peer, host), 403, `${peer} asks for ${host}`)

  const origin = 'https://evil.example'
  t.equal(await statusOf('127.0.0.1', 'localhost', { origin }), 403, 'a script of another site, which CORS may allow')
  for (const name of ['x-forwarded-for', 'forwarded', 'x-real-ip', 'via', 'x-forwarded-host']) {
    t.equal(await statusOf('127.0.0.1', 'localhost', { [name]: '127.0.0.1' }), 403, `behind a proxy that sends ${name}`)
  }
})
