/** The whole client: the browser goes to the provider, comes back with a code, and exchanges the code for tokens. */
const element = id => document.getElementById(id)

const explanations = {
  provider_denied: 'You did not agree there. Try again, or choose another way.',
  account_exists: 'There is already an account with this e-mail address. Log in to it first.'
}

/** In memory only: after a reload, the user has to log in again. */
let tokens

async function send (method, path, body) {
  const answer = await fetch(path, {
    method,
    headers: {
      ...(body && { 'content-type': 'application/json' }),
      ...(tokens && { authorization: `Bearer ${tokens.access}` })
    },
    ...(body && { body: JSON.stringify(body) })
  })
  return { ok: answer.ok, body: await answer.json() }
}

function show (user, status) {
  element('providers').hidden = Boolean(user)
  element('missing').hidden = !user?.missing_fields
  element('account').hidden = !user
  element('email').textContent = user?.email ?? ''
  element('status').textContent = status
}

/** Reads what the redirect brought, a code in the fragment or an error in the query, and clears the address bar. */
async function finishLogin () {
  const { provider, login_code: code } = Object.fromEntries(new URLSearchParams(location.hash.slice(1)))
  const error = new URLSearchParams(location.search).get('error')
  history.replaceState(null, '', location.pathname)
  if (error) return show(undefined, explanations[error] ?? `The login failed (${error}).`)
  if (!code) return show(undefined, 'Nobody is logged in.')
  const { ok, body } = await send('POST', `/auth/${provider}`, { login_code: code })
  if (ok) tokens = body
  show(ok ? body.user : undefined, ok ? 'Welcome.' : body.detail)
}

element('missing').addEventListener('submit', async event => {
  event.preventDefault()
  const { ok, body } = await send('PATCH', '/auth/user', Object.fromEntries(new FormData(event.target)))
  if (ok) show(body, 'Thank you.')
  else element('status').textContent = body.detail
})

element('logout').addEventListener('click', async () => {
  await send('POST', '/auth/logout', { refresh: tokens.refresh })
  tokens = undefined
  show(undefined, 'Logged out.')
})

for (const { name, label } of (await send('GET', '/providers')).body) {
  const link = document.createElement('a')
  link.href = `/auth/${name}/login`
  link.textContent = `Continue with ${label}`
  element('providers').append(link)
}
await finishLogin()
