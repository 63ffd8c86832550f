/** HTML from template literals. Values are escaped, except the results of other templates. */

export interface Markup { readonly markup: string }

type Value = string | number | Markup | false | undefined | readonly Value[]

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** Safe as text and in a quoted attribute; not in a script, a style or an unquoted attribute. */
export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, character => entities[character] ?? '')

/** Marks HTML of this package, such as a style, as safe. Never pass input. */
export const trusted = (markup: string): Markup => ({ markup })

/** Template tag. Lists are joined; false and undefined render as nothing. */
export const html = (strings: TemplateStringsArray, ...values: Value[]): Markup =>
  trusted(strings.map((text, index) => text + render(values[index])).join(''))

function render (value: Value): string {
  if (value === undefined || value === false) return ''
  if (typeof value === 'string' || typeof value === 'number') return escapeHtml(String(value))
  return 'markup' in value ? value.markup : value.map(render).join('')
}
