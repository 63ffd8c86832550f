/** What a refusal says of an option that does not exist. */
import { quickRatio } from './similarity.js'

/** `tokens.acess: unknown option; did you mean tokens.access?`; `known` are the options beside it. */
export function unknownOption (name: string, known: readonly string[]): string {
  const [, group = '', key = ''] = /^(.*\.)?(.*)$/.exec(name) ?? []
  const meant = mostSimilar(key, known)
  return `${name}: unknown option${meant === undefined ? '' : `; did you mean ${group}${meant}?`}`
}

/** Undefined if all of them are other words. */
export function mostSimilar (name: string, known: readonly string[]): string | undefined {
  const ratio = (other: string) => quickRatio(name.toLowerCase(), other.toLowerCase())
  const [best] = known.filter(other => ratio(other) > 0.75).sort((a, b) => ratio(b) - ratio(a))
  return best
}
