/** Liquid for mails. Templates are trusted, because the app writes them; values are not, and are escaped in HTML. */
import { evalTokenValue, Liquid, toPromise, type TagToken, type Template as Parsed, type ValueToken } from 'liquidjs'
import { refuseOption } from '../lib/refuse-option.js'
import type { Extensions } from '../settings/types.js'
import type { Source } from './template-files.js'

export interface Template {
  /** The variables that the template uses without assigning them. */
  variables: string[]
  render: (variables: Record<string, unknown>) => Promise<string>
}
/** Parses a template; throws an option error that names the file. */
export type Parse = (source: Source) => Template

const shared = {
  strictFilters: true,
  ownPropertyOnly: true,
  // Dates and sorting come out the same on every machine.
  timezoneOffset: 0,
  locale: 'en',
  // A mistake such as (1..1000000000) fails this mail, not the server.
  memoryLimit: 10_000_000
}

// The tags that read other files. Without them, a template that uses one fails at start.
const fileTags = ['include', 'render', 'layout', 'block']

/** The parser for one part of a mail; throws an option error for a filter or tag whose name Liquid uses. */
export function createParser (part: 'html' | 'text', { filters, tags }: Extensions): Parse {
  const liquid = new Liquid({ ...shared, templates: {}, ...(part === 'html' && { outputEscape: 'escape' as const }) })
  checkNames(liquid, { filters, tags })
  for (const name of fileTags) delete liquid.tags[name]
  for (const [name, filter] of Object.entries(filters)) {
    liquid.registerFilter(name, (value, ...parameters) => filter(value, ...parameters))
  }
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

function checkNames (liquid: Liquid, { filters, tags }: Extensions): void {
  for (const name of Object.keys(filters)) {
    if (name in liquid.filters) refuseOption(`mail.filters.${name}: Liquid has a filter of this name; choose another`)
  }
  for (const name of Object.keys(tags)) {
    if (name in liquid.tags) refuseOption(`mail.tags.${name}: Liquid has a tag of this name; choose another`)
  }
}

function parseOrRefuse (liquid: Liquid, file: string, text: string): Parsed[] {
  try {
    return liquid.parse(text, file)
  } catch (error) {
    // liquidjs throws only errors of its class LiquidError.
    return refuseOption(`mail.templates: ${file}: ${(error as Error).message.replace(`, file:${file}`, '')}`)
  }
}

/** `{% name 'literal', variable %}` inserts what the app's function returns, escaped like any other value. */
function registerTag (liquid: Liquid, name: string, run: Extensions['tags'][string]): void {
  liquid.registerTag(name, {
    parse (token) {
      const values = readValues(token)
      this.values = values
      // For liquidjs's static analysis, which finds the variables of a template.
      this.arguments = () => values
    },
    async render (context, emitter) {
      const values = await Promise.all(
        // Set by `parse` above; liquidjs types it as any.
        (this.values as ValueToken[]).map(value => toPromise(evalTokenValue(value, context)))
      )
      const value = await run(...values)
      const { outputEscape } = liquid.options
      emitter.write(outputEscape ? outputEscape.call({ context }, value) : value)
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
