/** JSON Pointer (RFC 6901). */

const escape = (name: string) => name.replaceAll('~', '~0').replaceAll('/', '~1')
const unescape = (segment: string) => segment.replaceAll('~1', '/').replaceAll('~0', '~')

export const pointerTo = (names: readonly string[]): string => names.map(name => `/${escape(name)}`).join('')

export const namesIn = (pointer: string): string[] => pointer.split('/').slice(1).map(unescape)
