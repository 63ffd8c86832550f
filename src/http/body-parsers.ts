/** How bodies are read: JSON or an HTML form, as UTF-8 and nothing else, at most 16 KiB. */
import type { FastifyInstance } from 'fastify'
import { failure } from '../errors/failure.js'
import { FormBody } from '../validation/body-validator.js'

export const maxBodyBytes = 16384
const maxDepth = 100

/** Replaces whatever parsers the host has, for our routes alone: their leniency must not become ours. */
export function addBodyParsers (app: FastifyInstance): void {
  const parseJson = app.getDefaultJsonParser('error', 'error')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer', bodyLimit: maxBodyBytes }, (request, body, done) => {
    const text = decode(body)
    if (text === undefined) return done(malformed('not valid UTF-8'))
    if (text.trim() === '') return done(null, {})
    // Fastify's own parser: it refuses __proto__ and constructor.prototype keys.
    parseJson(request, text, (error, value) => {
      const problem = error?.message ?? jsonProblem(value, maxDepth)
      done(problem === undefined ? null : malformed(problem), value)
    })
  })
  app.addContentTypeParser<Buffer>(
    'application/x-www-form-urlencoded',
    { parseAs: 'buffer', bodyLimit: maxBodyBytes },
    (_request, body, done) => {
      const text = decode(body)
      if (text === undefined || !isWellEncoded(text)) return done(malformed('not a valid form'))
      done(null, new FormBody(new URLSearchParams(text)))
    }
  )
}

const malformed = (reason: string) => failure('malformed_body', { reason })

// Replacing what is broken would make one password of many.
const utf8 = new TextDecoder('utf-8', { fatal: true })

function decode (body: Buffer): string | undefined {
  try {
    return utf8.decode(body)
  } catch {
    return undefined
  }
}

/** What no stack walks and no database holds: 16 KiB are 8000 lists inside each other, and 1e309 is Infinity. */
function jsonProblem (value: unknown, levels: number): string | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : 'a number is out of range'
  if (typeof value !== 'object' || value === null) return undefined
  if (levels === 0) return 'nested too deeply'
  return Object.values(value).map(inner => jsonProblem(inner, levels - 1)).find(problem => problem !== undefined)
}

function isWellEncoded (form: string): boolean {
  try {
    decodeURIComponent(form)
    return true
  } catch {
    return false
  }
}
