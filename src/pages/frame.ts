/** All HTML pages: nothing foreign runs or loads, and the URL, which may hold a token, goes to no other site. */
import { createHash } from 'node:crypto'
import { html, trusted, type Markup } from '../lib/html.js'

export interface Page { html: string, headers: Record<string, string> }

export interface Content {
  title: string
  style: string
  body: Markup
  /** Of this package; it runs when the page is there. */
  script?: string | undefined
  /** Content-Security-Policy directives in addition to those of every page. */
  policy: string
}

const hashOf = (text: string) => createHash('sha256').update(text).digest('base64')

export function renderPage ({ title, style, body, script, policy }: Content): Page {
  const { markup } = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${trusted(style)}</style>
</head>
<body>
${body}${script !== undefined && html`
<script>${trusted(script)}</script>`}
</body>
</html>
`
  const directives = [
    "default-src 'none'", `style-src 'sha256-${hashOf(style)}'`,
    ...(script === undefined ? [] : [`script-src 'sha256-${hashOf(script)}'`]),
    policy, "base-uri 'none'", "frame-ancestors 'none'"
  ]
  return { html: markup, headers: { ...commonHeaders, 'content-security-policy': directives.join('; ') } }
}

/** The headers of every HTML response, including the parts of mails that the viewer shows. */
export const commonHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-robots-tag': 'noindex'
}
