/**
 * Fetches the page again every two seconds, and puts what has changed in its place: the list, and beside it the newest
 * mail. A mail that is being read stays. Arrow keys move through the list.
 */
export const viewerScript = `
const find = selector => document.querySelector(selector)
const isReading = find('.reading') !== null

function replace (selector, page) {
  const [old, fresh] = [find(selector), page.querySelector(selector)]
  if (!old || !fresh || old.isEqualNode(fresh)) return
  const focused = old.contains(document.activeElement) ? document.activeElement.getAttribute('href') : null
  old.replaceWith(document.adoptNode(fresh))
  if (focused !== null) find(selector + ' a[href="' + CSS.escape(focused) + '"]')?.focus()
}

async function refresh () {
  if (document.hidden) return
  const response = await fetch(location.href)
  if (!response.ok) return
  const page = new DOMParser().parseFromString(await response.text(), 'text/html')
  replace('.mails', page)
  if (!isReading) replace('main', page)
}

// The server may be restarting.
const tryToRefresh = () => refresh().catch(() => {})
setInterval(tryToRefresh, 2000)
document.addEventListener('visibilitychange', tryToRefresh)
find('.viewer').addEventListener('keydown', event => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
  if (!step || !event.target.closest('.mails')) return
  const links = [...document.querySelectorAll('.mails a')]
  links[links.indexOf(event.target) + step]?.focus()
  event.preventDefault()
})
`
