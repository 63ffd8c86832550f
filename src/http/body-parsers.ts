/** Parses request bodies: JSON or an HTML form in either encoding, valid UTF-8, at most 16 KiB. */
import type { FastifyBodyParser, FastifyInstance, FastifyRequest } from 'fastify'
import { failure } from '../errors/failure.js'
import { FormBody } from '../validation/form-body.js'
import { readMultipart } from './multipart.js'

export const maxBodyBytes = 16384
const maxDepth = 100

/** Replaces the host's parsers for the plugin's routes only, because the host's may accept more. */
export function addBodyParsers (app: FastifyInstance): void {
  const options = { parseAs: 'buffer', bodyLimit: maxBodyBytes } as const
  app.removeAllContentTypeParsers()
  app.addContentTypeParser<Buffer>('application/json', options, jsonParser(app))
  app.addContentTypeParser<Buffer>('application/x-www-form-urlencoded', options, parseForm)
  // The whole body is read before it is parsed, so Fastify's limits of size and time hold for it, too.
  app.addContentTypeParser<Buffer>('multipart/form-data', options, parseMultipart)
}

function jsonParser (app: FastifyInstance): FastifyBodyParser<Buffer> {
  // Fastify's own parser rejects __proto__ and constructor.prototype keys.
  const parseText = app.getDefaultJsonParser('error', 'error')
  return function parseJson (request, body, done) {
    const text = decode(body)
    if (text === undefined) return done(malformed('not valid UTF-8'))
    if (text.trim() === '') return done(null, {})
    parseText(request, text, (error, value) => {
      const problem = error?.message ?? jsonProblem(value, maxDepth)
      done(problem === undefined ? null : malformed(problem), value)
    })
  }
}

const parseForm: FastifyBodyParser<Buffer> = (_request, body, done) => {
  const text = decode(body)
  if (text === undefined || !isWellEncoded(text)) return done(malformed('not a valid form'))
  done(null, new FormBody(new URLSearchParams(text)))
}

async function parseMultipart ({ headers }: FastifyRequest, body: Buffer): Promise<FormBody> {
  if (decode(body) === undefined) throw malformed('not valid UTF-8')
  return new FormBody(await readMultipart(body, { ...headers, 'content-type': headers['content-type'] ?? '' }))
}

const malformed = (reason: string) => failure('malformed_body', { reason })

// Fatal: replacing invalid bytes would make different passwords equal.
const utf8 = new TextDecoder('utf-8', { fatal: true })

function decode (body: Buffer): string | undefined {
  try {
    return utf8.decode(body)
  } catch {
    return undefined
  }
}

/** What is valid JSON but can't be handled: 16 KiB hold 8000 nested arrays, and 1e309 is parsed as Infinity. */
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
