/** Both sides of a login at a test provider: the page, which works in any browser, and code that fills it in. */
import { html, type Answer, type RecordedRequest } from './server.js'

/** A redirect by `response_mode=form_post`: what the browser posts, and where. */
export interface PostedRedirect {
  url: string
  form: Record<string, string>
}

export interface AuthorizeOptions {
  /** The person refuses to log in. */
  deny?: boolean
}

export const loginPage = (problem = ''): string => `<!DOCTYPE html>
<html lang="en"><title>Log in</title>
<form method="post"><p>${problem}</p><label>Login <input name="login" autofocus></label> <button>Log in</button></form>`

/** Shows the login page; `answer` gets the person who has logged in, or undefined if they refused. */
export function logIn (
  { method, form }: RecordedRequest, people: object, answer: (person: string | undefined) => Answer
): Answer {
  if (method !== 'POST') return html(loginPage())
  if (form.deny) return answer(undefined)
  const person = form.login ?? ''
  return Object.hasOwn(people, person) ? answer(person) : html(loginPage('Nobody has that login'), 422)
}

/** A page that posts itself to the client. */
export const formPost = ({ url, form }: PostedRedirect): string => `<!DOCTYPE html>
<html lang="en"><title>Back</title><body onload="document.forms[0].submit()">
<form method="post" action="${escaped(url)}">${Object.entries(form)
  .map(([name, value]) => `<input type="hidden" name="${name}" value="${escaped(value)}"/>`)
  .join('')}<button>Back to the app</button></form>`

/** Logs a person in, without earlier cookies, and returns the redirect to the client, which is not followed. */
export async function authorize (
  authorizationUrl: string, person: string, options?: AuthorizeOptions
): Promise<string> {
  const redirect = await browse(authorizationUrl, person, options)
  if (typeof redirect !== 'string') throw new Error('the provider wants to post: use authorizeByPost')
  return redirect
}

/** The same for a redirect by POST. */
export async function authorizeByPost (
  authorizationUrl: string, person: string, options?: AuthorizeOptions
): Promise<PostedRedirect> {
  const redirect = await browse(authorizationUrl, person, options)
  if (typeof redirect === 'string') throw new Error(`the provider does not post: ${redirect}`)
  return redirect
}

async function browse (
  authorizationUrl: string, person: string, { deny = false }: AuthorizeOptions = {}
): Promise<string | PostedRedirect> {
  const { origin } = new URL(authorizationUrl)
  const cookies = new Map<string, string>()
  let url = authorizationUrl
  let body: URLSearchParams | undefined
  // A login takes four requests; with unknown credentials the page would come again and again.
  for (let requests = 0; requests < 8; requests++) {
    const cookie = [...cookies].map(pair => pair.join('=')).join('; ')
    const answer = await fetch(url, {
      redirect: 'manual',
      headers: { cookie, accept: 'text/html' },
      ...(body && { method: 'POST', body })
    })
    for (const text of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]*)=([^;]*)/.exec(text) ?? []
      cookies.set(name, value)
    }
    const page = await answer.text()
    const location = answer.headers.get('location')
    if (location !== null && answer.status >= 300) {
      if (new URL(location, url).origin !== origin) return location
      url = new URL(location, url).href
      body = undefined
      continue
    }
    const [, attributes] = /<form([^>]*)>/.exec(page) ?? []
    if (attributes === undefined || answer.status >= 400) throw new Error(`${answer.status} of ${url}: ${page}`)
    const action = new URL(unescaped(/action="([^"]*)"/.exec(attributes)?.[1] ?? ''), url)
    if (action.origin !== origin) return { url: action.href, form: fieldsOf(page) }
    url = action.href
    body = new URLSearchParams(deny ? { deny: 'yes' } : { login: person })
  }
  throw new Error(`no redirect by ${authorizationUrl}`)
}

const fieldsOf = (page: string): Record<string, string> =>
  Object.fromEntries(
    [...page.matchAll(/name="([^"]*)" value="([^"]*)"/g)].map(([, name = '', value = '']) => [name, unescaped(value)])
  )

const entities = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'", '&#x27;': "'" }
const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;')
const unescaped = (text: string): string =>
  text.replace(/&(?:amp|lt|gt|quot|#39|#x27);/g, entity => entities[entity as keyof typeof entities])
