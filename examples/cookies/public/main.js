/**
 * The whole client. It never sees a token: the browser keeps them in cookies, and sends them.
 */
const element = id => document.getElementById(id)
const form = element('credentials')

/** Asks the server; JSON and the page's own origin are what tells the request from a forgery. */
async function send (method, path, body) {
  const answer = await fetch(path, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) })
  })
  return { ok: answer.ok, status: answer.status, body: await answer.json() }
}

let refreshing
/** The access token has expired: a new one. Two calls at once share one refresh; two tabs get the same tokens from the server. */
function refresh () {
  refreshing ??= send('POST', '/auth/token/refresh', {}).finally(() => { refreshing = undefined })
  return refreshing
}

/** As `send`, for who is logged in: goes on where the access token has expired in the meantime. */
async function call (method, path, body) {
  const answer = await send(method, path, body)
  if (answer.status !== 401 || !(await refresh()).ok) return answer
  return await send(method, path, body)
}

function show (user, status) {
  form.hidden = Boolean(user)
  element('account').hidden = !user
  element('email').textContent = user?.email ?? ''
  element('status').textContent = status
}

/** Who is logged in? */
async function look () {
  const { ok, body } = await call('GET', '/auth/user')
  show(ok ? body : undefined, ok ? 'Welcome.' : 'Nobody is logged in.')
}

const explain = ({ detail, errors = [] }) =>
  errors.map(({ field, message }) => `${field}: ${message}`).join(' ') || detail

form.addEventListener('submit', async event => {
  event.preventDefault()
  const { email, password } = Object.fromEntries(new FormData(form))
  const action = event.submitter.value
  const { ok, body } = await send(
    'POST',
    `/auth/${action}`,
    action === 'login' ? { email, password } : { email, password1: password }
  )
  form.password.value = ''
  show(ok ? body.user : undefined, ok ? 'Welcome.' : explain(body))
})

element('note').addEventListener('click', async () => {
  const { ok, body } = await call('POST', '/notes', {})
  if (ok) element('status').textContent = `${body.notes} written.`
  else await look()
})

for (const [button, path] of [['logout', '/auth/logout'], ['logout-all', '/auth/logout/all']]) {
  element(button).addEventListener('click', async () => {
    await call('POST', path, {})
    await look()
  })
}

// Another tab may have logged in or out.
document.addEventListener('visibilitychange', () => { if (!document.hidden) look() })
await look()
