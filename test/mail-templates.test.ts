/** The content of mails, from built-in templates and the app's own; a wrong template is reported at start. */
import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { simpleParser } from 'mailparser'
import nodemailer from 'nodemailer'
import { builtinMails, commonVariables } from '../schemas/mail.js'
import { compiledMail, templatesFolder } from '../scripts/templates.js'
import { type TemplateOptions, loadTemplates } from '../src/mail/templates.js'
import { loaders, t, type Test } from './support/build.js'
import { temporaryFile } from './support/databases.js'

const names = Object.keys(builtinMails) as Array<keyof typeof builtinMails>
const page = readFileSync(new URL('../docs/email-templates.md', import.meta.url), 'utf8')
const read = (file: string) => readFileSync(new URL(file, templatesFolder), 'utf8')

const values = {
  site_name: 'Example Shop',
  site_domain: 'shop.example',
  login_url: 'https://shop.example/login?next=/&lang=en',
  user: { email: 'alice@example.com', phone_number: '+15550100' },
  user_display: 'alice',
  activate_url: 'https://shop.example/confirm?a=1&key=Zk3v',
  key: 'Zk3v',
  hours: 72,
  valid_for: '3 days',
  password_reset_url: 'https://shop.example/reset?uid=019a&token=Q8sY',
  uid: '019a',
  token: 'Q8sY',
  minutes: 60,
  username: 'alice-in-wonderland',
  changed_at: new Date('2026-11-23T12:00:00Z'),
  ended_at: new Date('2026-11-23T12:00:00Z'),
  failures: 100,
  opens_at: new Date('2026-11-24T12:00:00Z'),
  provider: 'Google',
  connected_at: new Date('2026-11-23T12:00:00Z'),
  logged_in_at: new Date('2026-11-23T12:00:00Z'),
  ip: '203.0.113.7',
  device: 'Firefox on Windows'
}

/** A folder of the app with these files. */
function folderOf (t: Test, files: Record<string, string | Buffer>): string {
  const folder = dirname(temporaryFile(t))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}

const load = (t: Test, files: Record<string, string | Buffer>, extensions: Partial<TemplateOptions> = {}) =>
  loadTemplates({ folder: folderOf(t, files), filters: {}, tags: {}, ...extensions })

/** One text part, rendered. */
async function text (
  t: Test,
  template: string,
  variables: Record<string, unknown>,
  extensions: Partial<TemplateOptions> = {}
): Promise<string> {
  const templates = await load(t, { 'note.txt': template, 'note.subject.txt': 'Note' }, extensions)
  return (await templates.render('note', variables)).text
}

/** One HTML part, rendered. */
async function html (
  t: Test,
  template: string,
  variables: Record<string, unknown>,
  extensions: Partial<TemplateOptions> = {}
): Promise<string | undefined> {
  const templates = await load(t, { 'note.html': template, 'note.txt': 'Note', 'note.subject.txt': 'Note' }, extensions)
  return (await templates.render('note', variables)).html
}

const builtins = await loadTemplates({ folder: undefined, filters: {}, tags: {} })

t.test('the compiled mails are up to date with their sources (npm run templates)', async t => {
  for (const name of names) t.equal(read(`compiled/${name}.html`), await compiledMail(name), name)
})

t.test('the HTML and the text of a built-in mail use the same variables, all of them documented', async t => {
  for (const name of names) {
    const used = (file: string) =>
      [...new Set(Array.from(read(file).matchAll(/{[{%-] *(?:if )?([a-z_]+)/g), ([, word = '']) => word))]
        .filter(word => !/^(if|else|endif)$/.test(word))
        .sort()
    t.same(used(`${name}.mjml`), used(`${name}.txt`), name)
    t.same(
      used(`${name}.mjml`).filter(variable => ![...commonVariables, ...builtinMails[name]].includes(variable)), [], name
    )
    t.match(
      page,
      new RegExp(`\\| \`${name}\` \\|.*\\| ${builtinMails[name].map(variable => `\`${variable}\``).join(', ')} \\|`)
    )
  }
  for (const variable of commonVariables) t.match(page, `\`${variable}\``)
})

t.test('the built-in mails share one design and load nothing from other hosts', async t => {
  const [first, ...others] = names.map(name =>
    read(`${name}.mjml`)
      .split('<mj-body')[0]
      ?.replace(/<mj-(title|preview)>.*\n/g, '')
  )
  for (const other of others) t.equal(other, first)
  for (const name of names) t.notMatch(read(`compiled/${name}.html`), /src=|url\(|@import|<link|<script/)
})

t.test('each built-in mail says what happened and what to do', async t => {
  const subjects = {
    'email-verification': 'Please confirm your e-mail address',
    'password-reset': 'Reset your password',
    'password-changed': 'Your password was changed',
    'account-exists': 'You already have an account',
    'token-reuse': 'You were logged out',
    'login-locked': 'Your password is locked for a day',
    'new-device': 'New login to your account',
    'social-account-connected': 'You can now log in with Google'
  }
  const said = {
    'email-verification': ['shop.example', '3 days', 'ignore this mail'],
    'password-reset': ['alice', 'shop.example', '3 days', 'alice-in-wonderland', 'your password stays as it is'],
    'password-changed': ['alice', 'shop.example', '23 November 2026, 12:00 UTC', 'ask for a password reset at once'],
    'account-exists': ['alice', 'shop.example', '3 days', 'already has an account', 'nothing has changed'],
    'token-reuse': [
      'alice', 'shop.example', '23 November 2026, 12:00 UTC', 'used a second time', 'change your password'
    ],
    'login-locked': [
      'alice', 'shop.example', '100 times in a row', '24 November 2026, 12:00 UTC', 'ask for a password reset'
    ],
    'new-device': [
      'alice', 'shop.example', '23 November 2026, 12:00 UTC', 'Firefox on Windows', '203.0.113.7',
      'ask for a password reset at once'
    ],
    'social-account-connected': [
      'alice', 'shop.example', 'Google was connected', '23 November 2026, 12:00 UTC',
      'ask for a password reset at once', 'contact Example Shop'
    ]
  }
  for (const name of names) {
    const mail = await builtins.render(name, values)
    t.equal(mail.subject, subjects[name])
    for (const words of said[name]) {
      t.match(mail.text, words, name)
      t.match(mail.html, words, name)
    }
    t.match(mail.html, '<meta name="color-scheme" content="light dark">')
  }
  t.notMatch(
    (await builtins.render('email-verification', values)).html, /alice/,
    "a stranger who registers the address can't put words into the mail"
  )
})

t.test('a link is in both parts: as button and URL in the HTML, on its own line in the text', async t => {
  for (const [name, link] of [
    ['email-verification', values.activate_url],
    ['password-reset', values.password_reset_url],
    ['account-exists', values.password_reset_url]
  ] as const) {
    const mail = await builtins.render(name, values)
    t.ok(mail.text.split('\n').includes(link), name)
    const escaped = link.replaceAll('&', '&amp;')
    t.equal(mail.html?.split(`href="${escaped}"`).length, 3, name)
    t.match(mail.html, `>${escaped}</a>`)
  }
})

t.test('missing optional values leave no gap', async t => {
  for (const name of names) {
    const sparse = { ...values, login_url: undefined, username: null }
    const { text, html } = await builtins.render(name, sparse)
    t.notMatch(text, /undefined|null|username|login|\n\n\n| \n/, name)
    t.notMatch(html, /undefined|null|username|login page|href=""/, name)
  }
  const changed = await builtins.render('password-changed', values)
  t.match(changed.text, `\n${values.login_url}\n`)
  t.match(changed.html, 'href="https://shop.example/login?next=/&amp;lang=en"')
})

t.test('times are in UTC, regardless of the time zone of the server', async t => {
  const zone = process.env.TZ
  t.teardown(() => { process.env.TZ = zone ?? 'UTC' })
  process.env.TZ = 'Asia/Tokyo'
  t.match((await builtins.render('password-changed', values)).text, '23 November 2026, 12:00 UTC')
})

t.test('a value never becomes markup, Liquid or a header line', async t => {
  const hostile = [
    '<script>alert(1)</script>', '"><img src=x onerror=alert(1)>', "' onmouseover='alert(1)", '{{ 7|times:6 }}',
    '{% if true %}yes{% endif %}', '\u202egnp.exe', 'javascript:alert(1)', 'x\r\nBcc: eve@example.com\r\n\r\nHello'
  ]
  for (const value of hostile) {
    const everywhere = Object.fromEntries(Object.keys(values).map(name => [name, value]))
    for (const name of names) {
      const mail = await builtins.render(name, everywhere)
      t.notMatch(mail.html, /<script|<img|onmouseover='|\b42\b|>yes</, name)
      t.notMatch(mail.text, /\b42\b|^yes/, name)
    }
    const hostileNames = { user_display: value, username: value, site_name: value }
    const named = await builtins.render('password-reset', { ...values, ...hostileNames })
    t.notMatch(named.html, /(href|src)="?javascript:/)
    t.match(named.html, /<bdi>[^<]*<\/bdi>/, 'right-to-left text does not reverse the text around it')
  }
  t.match(
    await html(t, '<a title="{{ x }}" href=\'{{ x }}\'>', { x: '"\'<&' }),
    '<a title="&#34;&#39;&lt;&amp;" href=\'&#34;&#39;&lt;&amp;\'>'
  )
  const detours = '{% echo x %}{% cycle x %}{% capture y %}{{ x }}{% endcapture %}{% assign z = x %}{{ z }}'
  t.equal(await html(t, detours, { x: '<' }), '&lt;&lt;&lt;')
  t.equal(await html(t, '{{ x | raw }}', { x: '<b>' }), '<b>', 'raw turns escaping off')
})

t.test('a subject is always one line, even with line breaks in its values', async t => {
  const templates = await load(t, {
    'note.txt': 'Note',
    'note.subject.txt': '\uFEFF  {{ user_display }}\r\n wrote\tto you \n'
  })
  for (const [value, line] of [
    ['alice\r\nBcc: eve@example.com', 'alice Bcc: eve@example.com wrote to you'],
    ['a\u0085b\u2028c\u2029d\u0000e\u000bf\u007fg', 'a b c d e f g wrote to you'],
    ['<b> & "q"', '<b> & "q" wrote to you'],
    ['{{ 7|times:6 }}', '{{ 7|times:6 }} wrote to you']
  ]) {
    t.equal((await templates.render('note', { user_display: value })).subject, line)
  }

  const { subject, text } = await templates.render(
    'note', { user_display: 'x\r\nBcc: eve@example.com\r\n\r\n' }, '[Shop]\n '
  )
  t.equal(subject, '[Shop] x Bcc: eve@example.com wrote to you')
  const { message } = await nodemailer
    .createTransport({ streamTransport: true, buffer: true })
    .sendMail({ from: 'shop@shop.example', to: 'alice@example.com', subject, text })
  const received = await simpleParser(message as Buffer)
  t.equal(received.subject, subject)
  t.equal(received.bcc, undefined)
})

t.test('the subject prefix is literal text, not a template', async t => {
  t.equal((await builtins.render('password-reset', values, '[Shop] ')).subject, '[Shop] Reset your password')
  t.equal(
    (await builtins.render('password-reset', values, '{{ token }}: ')).subject, '{{ token }}: Reset your password'
  )
})

t.test('an app can override a built-in mail file by file', async t => {
  const builtin = await builtins.render('password-reset', values)
  const rendered = async (files: Record<string, string>) =>
    await (await load(t, files)).render('password-reset', values)
  t.same(await rendered({}), builtin)
  t.same(await rendered({ 'password-reset.txt': 'Go to {{ password_reset_url }}' }), {
    ...builtin,
    text: `Go to ${values.password_reset_url}`
  })
  t.same(
    await rendered({ 'password-reset.subject.txt': 'For {{ user_display }}\n' }),
    { ...builtin, subject: 'For alice' }
  )
  t.same(
    await rendered({ 'password-reset.html': '<p>{{ uid }}/{{ token }}' }), { ...builtin, html: '<p>019a/Q8sY' },
    'an HTML part without a title keeps the subject'
  )
  const titled =
    '<title>Tom &amp; {{ user_display }}&#39;s &#x2764; &quot;new&quot; &eacute;</title>{{ password_reset_url | raw }}'
  t.equal((await rendered({ 'password-reset.html': titled })).subject, 'Tom & alice\'s ❤ "new" &eacute;')
  t.equal((await rendered({ 'password-reset.html': titled, 'password-reset.subject.txt': 'Mine' })).subject, 'Mine')
  t.same(await rendered({ 'password-reset.html': ' \n' }), { ...builtin, html: undefined }, 'an empty file: text only')
})

t.test('the examples in docs/email-templates.md work', async t => {
  const [confirmation = '', reset = ''] = Array.from(page.matchAll(/```liquid\n([^]*?)```/g), ([, example]) => example)
  const templates = await load(t, { 'email-verification.txt': confirmation, 'password-reset.txt': reset }, {
    filters: { shout: (text: string) => `${text.toUpperCase()}!` },
    tags: { get_settings_var: (name: string) => ({ CUSTOM_PASSWORD_RESET_CONFIRM: 'https://app.example/reset' })[name] }
  })
  t.equal(
    (await templates.render('email-verification', values)).text,
    confirmation
      .replaceAll('{{ site_name }}', 'Example Shop')
      .replace('{{ site_domain }}', 'shop.example')
      .replace('{{ activate_url }}', values.activate_url)
  )
  const own = { greeting: 'Dear customer', support: 'help@app.example' }
  const { text } = await templates.render('password-reset', { ...values, ...own })
  t.match(
    text,
    /^Dear customer,\n[^]*\n\nhttps:\/\/app\.example\/reset\?uid=019a&token=Q8sY\n\nQUESTIONS! help@app\.example\n$/
  )
})

t.test('files that are not templates are ignored', async t => {
  const folder = folderOf(t, {
    'README.md': '{% oops %}',
    '_draft.txt': '{% oops %}',
    '.hidden.txt': '{% oops %}',
    'password-reset.txt~': '{% oops %}',
    'logo.png': Buffer.from([0xff])
  })
  mkdirSync(join(folder, 'more.txt'))
  symlinkSync(join(folderOf(t, { data: 'From elsewhere: {{ key }}' }), 'data'), join(folder, 'email-verification.txt'))
  const templates = await loadTemplates({ folder, filters: {}, tags: {} })
  t.same(templates.names(), names)
  t.equal(
    (await templates.render('email-verification', values)).text, 'From elsewhere: Zk3v',
    'a symbolic link to a file counts as a file: Kubernetes mounts them so'
  )
})

t.test('an app can add its own mails', async t => {
  const templates = await load(t, {
    'welcome.txt': 'Hello {{ user_display }}',
    'welcome.subject.txt': 'Welcome',
    'constructor.txt': 'x',
    'constructor.html': '<title>Built</title>x'
  })
  t.same(templates.names(), [...names, 'constructor', 'welcome'])
  t.ok(templates.has('welcome'))
  t.notOk(templates.has('toString'))
  t.same(await templates.render('welcome', values), { subject: 'Welcome', html: undefined, text: 'Hello alice' })
  t.equal((await templates.render('constructor', values)).subject, 'Built')
  await t.rejects(templates.render('goodbye', values), { message: 'fastify-rest-auth: there is no mail goodbye' })
})

t.test("the app's MJML is compiled before values are inserted", async t => {
  const files = {
    'email-verification.mjml': [
      '<mjml><mj-head><mj-title>Confirm, {{ user_display }}</mj-title></mj-head><mj-body><mj-section><mj-column>',
      '<!-- a note to ourselves --><mj-button href="{{ activate_url }}">Go</mj-button>',
      '<mj-raw>{% if user.admin %}</mj-raw><mj-text>Root</mj-text><mj-raw>{% else %}</mj-raw>',
      '<mj-text font-family="Roboto">{{ user.name }}</mj-text><mj-raw>{% endif %}</mj-raw>',
      '</mj-column></mj-section></mj-body></mjml>'
    ].join('\n')
  }
  const hostile = { name: '</mj-text><mj-raw><b>x</b>' }
  const { subject, html } = await (await load(t, files)).render('email-verification', { ...values, user: hostile })
  t.equal(subject, 'Confirm, alice')
  t.match(html, 'href="https://shop.example/confirm?a=1&amp;key=Zk3v"')
  t.match(html, '>&lt;/mj-text&gt;&lt;mj-raw&gt;&lt;b&gt;x&lt;/b&gt;</div>')
  t.notMatch(html, /Root|to ourselves|googleapis/)
})

t.test('an app needs the package mjml only for its own MJML templates', async t => {
  const folder = folderOf(t, { 'email-verification.mjml': '<mjml></mjml>' })
  const hooks = `export const resolve = (name, context, next) => {
    if (name === 'mjml') {
      const error = new Error("Cannot find package 'mjml' imported from there")
      throw Object.assign(error, { code: 'ERR_MODULE_NOT_FOUND' })
    }
    return next(name, context)
  }`
  const script = `
    import { register } from 'node:module'
    register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(hooks)}))
    const { loadTemplates } = await import('./src/mail/templates.ts')
    const load = folder => loadTemplates({ folder, filters: {}, tags: {} })
    console.log((await load(undefined)).names().length)
    await load(${JSON.stringify(folder)}).catch(error => console.log(error.message))`
  const parameters = [...loaders, '--input-type=module', '--eval', script]
  const cwd = resolve(import.meta.dirname, '..')
  const { stdout } = await promisify(execFile)(process.execPath, parameters, { cwd })
  t.equal(
    stdout,
    '8\nfastify-rest-auth: mail.templates: email-verification.mjml needs the package mjml (npm install mjml), ' +
    'or give email-verification.html\n'
  )
})

t.test("the app's filters and tags work in every part, and their output is escaped in HTML", async t => {
  const settings: Record<string, string> = { CUSTOM_PASSWORD_RESET_CONFIRM: 'https://app.example/reset' }
  const extensions = {
    filters: { shout: (value: string, mark = '!') => `${value.toUpperCase()}${mark}` },
    tags: {
      get_settings_var: (name: string) => settings[name],
      list: async (...parameters: unknown[]) => JSON.stringify(parameters),
      nothing: () => undefined,
      zero: () => 0
    }
  }
  const link = "{% get_settings_var 'CUSTOM_PASSWORD_RESET_CONFIRM' %}?uid={{ uid }}&token={{ token }}"
  const templates = await load(t, {
    'password-reset.txt': link,
    'password-reset.html': `<a href="${link}">`,
    'password-reset.subject.txt': "{{ user_display | shout }} {{ 'x' | shout: '?' }}{% get_settings_var 'none' %}"
  }, extensions)
  t.same(await templates.render('password-reset', values), {
    subject: 'ALICE! X?',
    text: 'https://app.example/reset?uid=019a&token=Q8sY',
    html: '<a href="https://app.example/reset?uid=019a&token=Q8sY">'
  })

  const list = "{% list 'a b', 7 user.name,true %}{%- list -%} {% nothing %}{% zero %}"
  t.equal(await text(t, list, { user: { name: '<b>' } }, extensions), '["a b",7,"<b>",true][]0')
  t.equal(await html(t, list, { user: { name: '<b>' } }, extensions), '[&#34;a b&#34;,7,&#34;&lt;b&gt;&#34;,true][]0')
  t.equal(await html(t, '{{ x | shout }}', { x: '<b>' }, extensions), '&lt;B&gt;!')

  const inTag = await load(t, { 'email-verification.txt': '{% list activate_url %}' }, extensions)
  const { text: shown } = await inTag.render('email-verification', values)
  t.equal(shown, `["${values.activate_url}"]`, 'a link given to a tag counts as shown')
  const failing = { tags: { fail: () => { throw new Error('no such thing') } } }
  await t.rejects(text(t, 'x\n{% fail %}', {}, failing), /no such thing, file:note.txt, line:2/)
})

t.test("a template sees a value's own properties, and no prototypes or globals", async t => {
  const parsed = JSON.parse('{ "name": "alice", "__proto__": { "admin": "secret" } }') as object
  const user = Object.assign(Object.create({ inherited: 'secret' }), parsed) as object
  const peek = [
    'user.constructor', 'user.inherited', 'user.__proto__.admin.x', 'user.toString', 'constructor', '__proto__',
    'toString', 'user.name.constructor.name', 'process', 'missing.deeper'
  ].map(expression => `{{ ${expression} }}`).join('')
  t.equal(await text(t, `[${peek}]{{ user.name }}`, { user }), '[]alice')
  const variables = { count: 1 }
  const templates = await load(t, {
    'note.txt': '{% increment count %}{{ user.x }}',
    'note.html': '{% increment count %}',
    'note.subject.txt': 'Note'
  })
  const render = async () => await templates.render('note', variables)
  const note = { subject: 'Note', html: '1', text: '1' }
  t.same(await Promise.all([render(), render()]), [note, note], 'one mail leaves no trace in the next')
  t.same(variables, { count: 1 })
})

t.test('an endless template fails its own mail, not the server', async t => {
  await t.rejects(text(t, '{% for i in (1..1000000000) %}{% endfor %}', {}), /memory alloc limit exceeded/)
})

const start = (
  title: string,
  files: Record<string, string | Buffer>,
  line: string | RegExp,
  extensions: Partial<TemplateOptions> = {}
) => ({ title, files, line, extensions })
const mjml = (body: string) => `<mjml><mj-body><mj-section><mj-column>${body}</mj-column></mj-section></mj-body></mjml>`

for (const { title, files, line, extensions } of [
  start('a folder that does not exist', {},
    'mail.templates: there is no folder /nowhere/mails to read (ENOENT)', { folder: '/nowhere/mails' }),
  start('a file instead of a folder', {},
    `mail.templates: there is no folder ${import.meta.filename} to read (ENOTDIR)`, { folder: import.meta.filename }),
  start('two sources of one HTML part', { 'password-reset.mjml': mjml(''), 'password-reset.html': 'x' },
    'mail.templates: password-reset.mjml and password-reset.html are both there; keep one'),
  start('a template that is not UTF-8', { 'password-reset.txt': Buffer.from('caf\xe9', 'latin1') },
    'mail.templates: password-reset.txt must be in UTF-8'),
  start('an empty text', { 'password-changed.txt': '\n' }, 'mail.templates: password-changed.txt is empty'),
  start('an empty subject', { 'password-changed.subject.txt': '' },
    'mail.templates: password-changed.subject.txt is empty'),
  start('a confirmation text without its link',
    { 'email-verification.txt': 'Welcome {{ user.key }}{% assign key = 1 %}{{ key }}' },
    'mail.templates: email-verification.txt must show {{ activate_url }} (or {{ key }}): ' +
    'without it nobody can confirm'),
  start('a confirmation page without its link', { 'email-verification.html': '<p>Welcome' },
    'mail.templates: email-verification.html must show {{ activate_url }} (or {{ key }}): ' +
    'without it nobody can confirm'),
  start('a reset text with half of its link', { 'password-reset.txt': '{{ token }}' },
    'mail.templates: password-reset.txt must show {{ password_reset_url }} (or {{ uid }} and {{ token }}): ' +
    'without it nobody can choose a new password'),
  start('a notice of a linked provider without its name',
    { 'social-account-connected.txt': 'You can log in in one more way' },
    'mail.templates: social-account-connected.txt must show {{ provider }}: ' +
    'without it nobody learns what was connected'),
  start('a custom mail without text', { 'welcome.html': '<title>Hi</title>' },
    'mail.templates: welcome needs a welcome.txt: a mail always has a plain-text part'),
  start('a custom mail without subject', { 'welcome.txt': 'Hi', 'welcome.html': '<title> </title>Hi' },
    'mail.templates: welcome needs a title in its HTML, or a welcome.subject.txt; the built-in mails are ' +
    'email-verification, password-reset, password-changed, account-exists, token-reuse, ' +
    'login-locked, new-device, social-account-connected'),
  start('an unclosed output', { 'password-reset.txt': 'Hello\n{{ token' },
    'mail.templates: password-reset.txt: output "{{ token" not closed, line:2, col:1'),
  start('an unclosed tag', { 'password-reset.html': '<p>\n{% if x %}' },
    'mail.templates: password-reset.html: tag {% if x %} not closed, line:2, col:1'),
  start('an unknown tag', { 'welcome.subject.txt': '{% load i18n %}', 'welcome.txt': 'Hi' },
    'mail.templates: welcome.subject.txt: tag "load" not found, line:1, col:1'),
  start('an unknown filter', { 'password-reset.txt': '{{ token | urlencoded }}' },
    'mail.templates: password-reset.txt: undefined filter: urlencoded, line:1, col:1'),
  ...['include', 'render', 'layout', 'block'].map(tag =>
    start(`the tag ${tag}`, { 'password-reset.txt': `{% ${tag} '/etc/passwd' %}` },
      `mail.templates: password-reset.txt: tag "${tag}" not found, line:1, col:1`)),
  start('an unknown filter in MJML, reported by the line of its source',
    { 'password-reset.mjml': mjml('\n\n<mj-text>{{ token | oops }}</mj-text>') },
    'mail.templates: password-reset.mjml: undefined filter: oops, line:3, col:10'),
  start('invalid MJML', { 'password-reset.mjml': 'Hello {{ token }}' },
    'mail.templates: password-reset.mjml: Parsing failed. Check your mjml.'),
  start('MJML with an unknown tag', { 'password-reset.mjml': mjml('\n<mj-txt>x</mj-txt>') },
    /^mail.templates: password-reset.mjml: .*mj-txt.*, line:2$/),
  start('MJML with mj-include', { 'password-reset.mjml': mjml('<mj-include path="/etc/passwd" type="html" />') },
    'mail.templates: password-reset.mjml: mj-include is not supported; copy in what it includes'),
  start('a filter named like a built-in one', {},
    'mail.filters.upcase: Liquid has a filter of this name; choose another', { filters: { upcase: String } }),
  start('a tag named like a built-in one', {},
    'mail.tags.if: Liquid has a tag of this name; choose another', { tags: { if: String } }),
  start('a tag named like a removed built-in one', {},
    'mail.tags.include: Liquid has a tag of this name; choose another', { tags: { include: String } }),
  start('a custom tag with an invalid parameter', { 'welcome.txt': '{% get a | b %}', 'welcome.subject.txt': 'x' },
    /^mail.templates: welcome.txt: unexpected token .*, line:1/, { tags: { get: String } })
]) {
  t.test(`an app does not start with ${title}`, async t => {
    try {
      await load(t, files, extensions)
      t.fail('it started')
    } catch (error) {
      const { message } = error as Error
      t.match(message, /^fastify-rest-auth: /)
      const told = message.replace('fastify-rest-auth: ', '')
      if (typeof line === 'string') t.equal(told, line)
      else t.match(told, line)
    }
  })
}
