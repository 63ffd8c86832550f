/** HTML from templates: whatever a template is given is escaped, but what came out of another template. */

/** Text that may stand in a page as it is. */
export interface Markup { readonly markup: string }

type Value = string | number | Markup | false | undefined | readonly Value[]

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** Safe as text and within a quoted attribute; not in a script, a style or an unquoted attribute. */
export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, character => entities[character] ?? '')

/** For what this package wrote itself, such as a style. */
export const trusted = (markup: string): Markup => ({ markup })

/** Lists are joined; false and undefined leave nothing. */
export const html = (strings: TemplateStringsArray, ...values: Value[]): Markup =>
  trusted(strings.map((text, index) => text + render(values[index])).join(''))

function render (value: Value): string {
  if (value === undefined || value === false) return ''
  if (typeof value === 'string' || typeof value === 'number') return escapeHtml(String(value))
  return 'markup' in value ? value.markup : value.map(render).join('')
}
