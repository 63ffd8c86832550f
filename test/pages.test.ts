import { createHash } from 'node:crypto'
import { errors, type AnswerCode } from '../schemas/errors.js'
import { escapeHtml, html } from '../src/lib/html.js'
import type { PageFrame } from '../src/pages/card.js'
import { confirmEmailPage, emailConfirmedPage } from '../src/pages/email-verification.js'
import { linkInvalidPage } from '../src/pages/invalid-link.js'
import { newPasswordPage, passwordChangedPage } from '../src/pages/password-reset.js'
import { loggedInPage, socialFailedPage, startPage } from '../src/pages/social-redirect.js'
import { t } from './support/build.js'

const frame: PageFrame = { siteName: 'Acme Books', loginUrl: 'https://app.example/login?next=%2F&from=mail' }
const problems = [
  { field: 'new_password1', message: 'This password is too common.' },
  { field: 'new_password1', message: 'This password is entirely numeric.' },
  { field: 'new_password2', message: "The two password fields didn't match." }
] as const

const start = { label: 'Google', startUrl: '/auth/google/login?next=%2Fbasket' }
const failed = {
  label: 'Google',
  code: 'rejected',
  message: 'Google did not answer. Try again in a moment.',
  retryUrl: '/auth/google/login?next=%2Fbasket&x=1'
} as const

const pages = (frame: PageFrame) => ({
  confirmEmail: confirmEmailPage(frame),
  emailConfirmed: emailConfirmedPage(frame),
  emailLinkInvalid: linkInvalidPage(frame, 'email'),
  passwordLinkInvalid: linkInvalidPage(frame, 'password'),
  newPassword: newPasswordPage(frame, [], { minLength: 8 }),
  newPasswordRefused: newPasswordPage(frame, problems, { minLength: 8, username: 'alice@example.com' }),
  passwordReset: passwordChangedPage(frame),
  socialStart: startPage(frame, start),
  socialFailed: socialFailedPage(frame, failed),
  loggedIn: loggedInPage(frame)
})
const policyOf = ({ headers }: { headers: Record<string, string> }) => headers['content-security-policy'] ?? ''
const linksOf = (html: string) => [...html.matchAll(/ href="([^"]*)"/g)].map(([, href]) => href)

t.test('html`` escapes text, keeps the output of other templates, and joins lists', async t => {
  t.equal(escapeHtml('<a href="x" title=\'y\'>&amp;'), '&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;amp;')
  t.equal(
    html`<p title="${'"'}">${'<b>'}${html`<i>${'&'}</i>`}${['<', html`<br>`, 2]}${false}${undefined}</p>`.markup,
    '<p title="&quot;">&lt;b&gt;<i>&amp;</i>&lt;<br>2</p>'
  )
})

for (const [name, page] of Object.entries(pages(frame))) {
  t.test(`${name} is a complete and well-formed page`, async t => {
    t.match(page.html, /^<!doctype html>\n<html lang="en">/)
    t.same(unbalanced(page.html), [])
    for (const tag of ['title', 'main', 'h1']) t.equal(page.html.split(`<${tag}>`).length, 2, `one ${tag}`)
    const ids = [...page.html.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id)
    t.equal(new Set(ids).size, ids.length, 'no id is there twice')
    t.match(page.html, /<title>[^<]+ · Acme Books<\/title>/)
  })

  t.test(`${name} needs no script and loads nothing from elsewhere`, async t => {
    t.notMatch(page.html, /<script|<img|<link|<iframe|javascript:|@import|url\(| src=| style=| on\w+=/i)
    t.same(
      linksOf(page.html).filter(
        href => ![frame.loginUrl, failed.retryUrl, start.startUrl].some(own => href === escapeHtml(own ?? ''))
      ),
      []
    )
  })

  t.test(`${name} is neither cached, indexed nor framed, and sends other sites no Referer`, async t => {
    const style = /<style>([^]*)<\/style>/.exec(page.html)?.[1] ?? ''
    const hash = createHash('sha256').update(style).digest('base64')
    t.same(page.headers, {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'referrer-policy': name === 'socialStart' ? 'same-origin' : 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-robots-tag': 'noindex',
      'content-security-policy': `default-src 'none'; style-src 'sha256-${hash}'; form-action 'self' https://app.example; ` +
        "base-uri 'none'; frame-ancestors 'none'"
    })
  })
}

t.test('hostile text in a page stays text', async t => {
  const hostile = '</title></style><script>alert(1)</script>"\'><img src=x onerror=alert(1)>'
  const escaped =
    '&lt;/title&gt;&lt;/style&gt;&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&gt;&lt;img src=x onerror=alert(1)&gt;'
  const hostileFrame = { siteName: hostile, loginUrl: `/login?${hostile}` }
  for (const page of Object.values(pages(hostileFrame))) {
    t.notOk(page.html.includes(hostile))
    t.same(unbalanced(page.html), [])
    t.notMatch(page.html, /<script|<img/)
  }
  const form = newPasswordPage(hostileFrame, [{ field: 'new_password2', message: hostile }], {
    minLength: 8,
    username: hostile
  }).html
  for (const place of [`<header>${escaped}</header>`, `<p>${escaped}</p>`, `value="${escaped}"`]) {
    t.ok(form.includes(place), place)
  }
  t.notOk(form.includes(hostile))
})

t.test('a hostile label or message of a provider stays text', async t => {
  const hostile = '<img src=x onerror=1>'
  const escaped = '&lt;img src=x onerror=1&gt;'
  const start = startPage(frame, { label: hostile, startUrl: `/auth/x/login?next="${hostile}` })
  const failed = socialFailedPage(frame, {
    label: hostile,
    code: 'rejected',
    message: hostile,
    retryUrl: `/auth/x/login?next="${hostile}`
  })
  t.same(unbalanced(start.html), [])
  t.same(unbalanced(failed.html), [])
  for (const { html } of [start, failed]) t.notMatch(html, '<img')
  for (const place of [
    `<h1>Continue with ${escaped}</h1>`, `<p>You will be sent to ${escaped} to log in to Acme Books.</p>`,
    `>Continue with ${escaped}</a>`, `href="/auth/x/login?next=&quot;${escaped}"`
  ]) {
    t.ok(start.html.includes(place), place)
  }
  for (const place of [`<p>${escaped}</p>`, `href="/auth/x/login?next=&quot;${escaped}"`]) {
    t.ok(failed.html.includes(place), place)
  }
})

t.test('the page that starts a social login has one link and nothing else', async t => {
  const { html, headers } = startPage(frame, start)
  t.match(html, '<a class="button" href="/auth/google/login?next=%2Fbasket">Continue with Google</a>')
  t.equal(html.split('<a ').length, 2)
  t.notMatch(html, /<form|<input|<button/)
  t.equal(headers['referrer-policy'], 'same-origin', 'the start must see that a page of the app sent the browser')
})

t.test("a failed social login is explained in plain words, or in the app's own", async t => {
  const told = (code: AnswerCode, message: string) => socialFailedPage(frame, { ...failed, code, message }).html
  t.match(
    told('code_exchange_failed', errors.code_exchange_failed.message),
    '<p>Google did not confirm the login. Please try again.</p>'
  )
  t.match(told('rejected', 'Only on Sundays.'), '<p>Only on Sundays.</p>', "or in the app's own words")
})

t.test('a failed social login offers a retry and the login page', async t => {
  const { html } = socialFailedPage(frame, failed)
  t.match(html, '<p>Google did not answer. Try again in a moment.</p>')
  t.same(linksOf(html), [failed.retryUrl, frame.loginUrl].map(url => escapeHtml(url ?? '')))
  t.match(html, /">Try again<\/a>[^]*">Log in<\/a>/)
  t.match(html, '<title>Not logged in with Google · Acme Books</title>')
  t.same(linksOf(socialFailedPage({ ...frame, loginUrl: undefined }, failed).html), [escapeHtml(failed.retryUrl)])
  t.same(
    linksOf(socialFailedPage(frame, { ...failed, retryUrl: 'https://evil.example/auth/google/login' }).html),
    [escapeHtml(frame.loginUrl ?? '')], 'a retry on another origin is left out'
  )
})

t.test('the page after a login offers no further step', async t => {
  const { html } = loggedInPage(frame)
  t.match(html, '<h1>You are logged in</h1>\n<p>You can close this page.</p>')
  t.notMatch(html, /<a |<form/)
})

t.test('confirming an address takes one button, which posts to the URL of the page', async t => {
  const { html } = confirmEmailPage(frame)
  t.match(html, '<form method="post">')
  t.equal(html.split('<button').length, 2)
  t.notMatch(html, /action=|<input|<a /, 'and nothing else can be done')
})

t.test('a new password is entered twice, in labelled fields that password managers recognise', async t => {
  const { html } = newPasswordPage(frame, [], { minLength: 12, username: 'alice@example.com' })
  t.match(html, '<label for="new_password1">New password</label>')
  t.match(html, '<label for="new_password2">New password, again</label>')
  t.match(
    html,
    '<input type="password" id="new_password1" name="new_password1" autocomplete="new-password" required ' +
    'aria-describedby="new_password1-hint">'
  )
  t.match(html, '<input type="password" id="new_password2" name="new_password2" autocomplete="new-password" required>')
  t.match(html, 'id="new_password1-hint">At least 12 characters.</p>')
  t.match(html, /type="text" name="username" autocomplete="username" value="alice@example.com"/)
  t.notMatch(html, /minlength|maxlength|role="alert"|autofocus/)
  t.notMatch(newPasswordPage(frame, [], { minLength: 12 }).html, 'name="username"')
})

t.test('errors of a new password are shown at their fields, and the first such field has the focus', async t => {
  const { html } = newPasswordPage(frame, problems, { minLength: 8 })
  t.match(html, 'aria-describedby="new_password1-hint new_password1-error" aria-invalid="true" autofocus>')
  t.match(
    html,
    '<div class="error" id="new_password1-error" role="alert"><p>This password is too common.</p>' +
    '<p>This password is entirely numeric.</p></div>'
  )
  t.match(html, 'aria-describedby="new_password2-error" aria-invalid="true">')
  t.match(
    html,
    '<div class="error" id="new_password2-error" role="alert"><p>The two password fields didn&#39;t match.</p></div>'
  )
  t.match(html, '<title>Error: Choose a new password · Acme Books</title>')
  const second = newPasswordPage(frame, problems.slice(2), { minLength: 8 }).html
  t.match(
    second,
    'id="new_password2" name="new_password2" autocomplete="new-password" required ' +
    'aria-describedby="new_password2-error" aria-invalid="true" autofocus>'
  )
  t.equal(second.split('autofocus').length, 2)
})

t.test('a login page on another origin is linked, and a form may redirect to it', async t => {
  const at = (loginUrl: string | undefined) => emailConfirmedPage({ ...frame, loginUrl })
  for (const [loginUrl, sources] of [
    ['https://app.example/login', "'self' https://app.example"],
    ['HTTP://App.Example:8080/login', "'self' http://app.example:8080"],
    ['/login?next=/', "'self'"],
    ['/', "'self'"]
  ] as const) {
    t.same(linksOf(at(loginUrl).html), [loginUrl])
    t.match(policyOf(at(loginUrl)), `form-action ${sources}; base-uri`)
  }
  t.same(linksOf(at(undefined).html), [])
  t.match(at(undefined).html, 'You can close this page.')
})

for (const loginUrl of [
  'javascript:alert(1)', 'JavaScript:alert(1)', ' javascript:alert(1)', 'java\nscript:alert(1)',
  'data:text/html,hi', 'vbscript:x', 'file:///etc/passwd', '//evil.example', '/\\evil.example',
  '\\\\evil.example', '/\t/evil.example', '\t//evil.example', 'https:evil.example', 'https://', 'http://[', '',
  'login', '?x', 'https://x;script-src', "https://a,default-src'*'", 'https://*.example'
]) {
  t.test(`${JSON.stringify(loginUrl)} is not accepted as the URL of a page`, async t => {
    for (const [name, page] of Object.entries(pages({ ...frame, loginUrl }))) {
      t.same(
        linksOf(page.html),
        name === 'socialFailed'
          ? [escapeHtml(failed.retryUrl)]
          : name === 'socialStart'
            ? [escapeHtml(start.startUrl)]
            : []
      )
      t.match(policyOf(page), "; form-action 'self'; base-uri 'none'")
    }
    t.same(
      linksOf(socialFailedPage({ ...frame, loginUrl }, { ...failed, retryUrl: loginUrl }).html), [],
      'nor as the URL of a retry'
    )
  })
}

const tag = /<(\/?)([a-z]\w*)(?:\s+[\w-]+(?:="[^"<>]*")?)*>/g

/** Tags that close nothing or are not closed, and brackets that are not part of a tag. */
function unbalanced (page: string): string[] {
  const body = page.replace('<!doctype html>', '').replace(/<style>[^]*?<\/style>/, '')
  const open: string[] = []
  const stray: string[] = []
  for (const [, slash, name = ''] of body.matchAll(tag)) {
    if (name === 'meta' || name === 'input') continue
    if (!slash) open.push(name)
    else if (open.pop() !== name) stray.push(name)
  }
  return [...stray, ...open, ...body.replace(tag, '').match(/[<>]/g) ?? []]
}
