/** The whole client. It never sees a token: the browser stores them in cookies and sends them. */
const element = id => document.getElementById(id)
const form = element('credentials')

/** Sends a request. The server accepts it because it is JSON from its own origin, which no other site can send. */
async function send (method, path, body) {
  const answer = await fetch(path, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) })
  })
  return { ok: answer.ok, status: answer.status, body: await answer.json() }
}

let refreshing
/** Renews the access token. Concurrent calls share one refresh; two tabs get the same tokens from the server. */
function refresh () {
  refreshing ??= send('POST', '/auth/token/refresh', {}).finally(() => { refreshing = undefined })
  return refreshing
}

/** Like `send`, for logged-in users: if the access token has expired, refreshes it and sends the request again. */
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

/** Shows who is logged in. */
async function showUser () {
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
  else await showUser()
})

for (const [button, path] of [['logout', '/auth/logout'], ['logout-all', '/auth/logout/all']]) {
  element(button).addEventListener('click', async () => {
    await call('POST', path, {})
    await showUser()
  })
}

// Another tab may have logged in or out.
document.addEventListener('visibilitychange', () => { if (!document.hidden) showUser() })
await showUser()
