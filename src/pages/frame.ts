/**
 * What every HTML page of ours has in common: the document around its content, and headers by which a browser
 * runs nothing, fetches nothing, keeps nothing, and tells no other site the address, which may hold a token.
 */
import { createHash } from 'node:crypto'
import { html, trusted, type Markup } from '../lib/html.js'

export interface Page { html: string, headers: Record<string, string> }

export interface Content {
  title: string
  style: string
  body: Markup
  head?: Markup
  /** Directives of the content security policy, beside those that every page has. */
  policy: string
}

const hashOf = (text: string) => createHash('sha256').update(text).digest('base64')

export function renderPage ({ title, style, body, head, policy }: Content): Page {
  const { markup } = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>${head}
<style>${trusted(style)}</style>
</head>
<body>
${body}
</body>
</html>
`
  return {
    html: markup,
    headers: {
      ...commonHeaders,
      'content-security-policy': `default-src 'none'; style-src 'sha256-${hashOf(style)}'; ${policy}; base-uri 'none'; frame-ancestors 'none'`
    }
  }
}

/** Of all that is HTML here, whoever wrote it. */
export const commonHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-robots-tag': 'noindex'
}
