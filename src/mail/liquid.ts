/**
 * Liquid as mails use it: what is inserted into HTML is escaped, no file can be read from a template, and the
 * app's own filters and tags are known. Templates are the app's, values may be anybody's.
 */
import { evalTokenValue, Liquid, toPromise, type TagToken, type Template as Parsed, type ValueToken } from 'liquidjs'
import { refuseOption } from '../lib/refuse-option.js'
import type { Extensions } from '../settings/types.js'
import type { Source } from './template-files.js'

export interface Template {
  /** What the template takes from outside. */
  variables: string[]
  render: (variables: Record<string, unknown>) => Promise<string>
}
/** Parses, or refuses by the file's name. */
export type Parse = (source: Source) => Template

const shared = {
  strictFilters: true,
  ownPropertyOnly: true,
  // The same on every machine.
  timezoneOffset: 0,
  locale: 'en',
  // A slip such as (1..1000000000) ends the mail, not the server.
  memoryLimit: 10_000_000
}

// What reads other files: left out, its use is told at start.
const readers = ['include', 'render', 'layout', 'block']

export function createParser (part: 'html' | 'text', { filters, tags }: Extensions): Parse {
  const liquid = new Liquid({ ...shared, templates: {}, ...(part === 'html' && { outputEscape: 'escape' as const }) })
  for (const name of Object.keys(filters)) { if (name in liquid.filters) refuseOption(`mail.filters.${name}: Liquid has a filter of this name; choose another`) }
  for (const name of Object.keys(tags)) { if (name in liquid.tags) refuseOption(`mail.tags.${name}: Liquid has a tag of this name; choose another`) }
  for (const name of readers) delete liquid.tags[name]
  for (const [name, filter] of Object.entries(filters)) { liquid.registerFilter(name, (value, ...parameters) => filter(value, ...parameters)) }
  for (const [name, tag] of Object.entries(tags)) registerTag(liquid, name, tag)
  return ({ file, text }) => {
    const parsed = parseOrRefuse(liquid, file, text)
    return {
      variables: liquid.globalVariablesSync(parsed),
      // A copy, because {% increment %} writes into it.
      render: async variables => String(await liquid.render(parsed, { ...variables }))
    }
  }
}

function parseOrRefuse (liquid: Liquid, file: string, text: string): Parsed[] {
  try {
    return liquid.parse(text, file)
  } catch (error) {
    return refuseOption(`mail.templates: ${file}: ${(error as Error).message.replace(`, file:${file}`, '')}`)
  }
}

/** `{% name 'literal', variable %}` becomes what the app's function answers, escaped as any other value. */
function registerTag (liquid: Liquid, name: string, run: Extensions['tags'][string]): void {
  liquid.registerTag(name, {
    parse (token) {
      const values = readValues(token)
      this.values = values
      // The static analysis asks for them by this name.
      this.arguments = () => values
    },
    async render (context, emitter) {
      const values = await Promise.all(
        (this.values as ValueToken[]).map(value => toPromise(evalTokenValue(value, context)))
      )
      const answer = await run(...values)
      const { outputEscape } = liquid.options
      emitter.write(outputEscape ? outputEscape.call({ context }, answer) : answer)
    }
  })
}

function readValues ({ tokenizer }: TagToken): ValueToken[] {
  const values: ValueToken[] = []
  for (tokenizer.skipBlank(); !tokenizer.end(); tokenizer.skipBlank()) {
    values.push(tokenizer.readValueOrThrow())
    tokenizer.skipBlank()
    if (tokenizer.peek() === ',') tokenizer.advance()
  }
  return values
}
