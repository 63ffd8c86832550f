/** Which usernames are allowed: letters and digits of any script and `@ . + - _`, as in Django, but none invisible. */
import { Type } from '@sinclair/typebox'

const visible = '(?!\\p{Default_Ignorable_Code_Point})'

// Scripts such as Devanagari and Thai write vowels as marks. Joiners shape what follows the marks of those scripts, but
// not the accents that all scripts share (UTS #39 §3.1.1, RFC 5892 A.1 and A.2).
const mark = `${visible}(?:(?!\\p{Script=Inherited})[\\p{Mn}\\p{Mc}][\\u200C\\u200D]?|` +
  '(?=\\p{Script=Inherited})[\\p{Mn}\\p{Mc}])'

// A dot above `i` or `j` can't be seen. More than eight marks on a letter are no language, but a stack of ink.
const letterWith = (mark: string) => `${visible}(?!\\p{Soft_Dotted}\\u0307)\\p{L}(?:${mark}){0,8}`

// Persian separates the parts of a name within a word. There no mark has a joiner of its own: if one could be either,
// the time of a match would double with each.
const arabic = letterWith(`${visible}[\\p{Mn}\\p{Mc}]`) + '(?:\\u200C(?=\\p{Script=Arabic}))?'

const pattern = `^(?:(?!\\p{Script=Arabic})${letterWith(mark)}|(?=\\p{Script=Arabic})${arabic}|[\\p{N}_.@+-])*$`

/** Checked after NFKC, and compared as `usernameKey()` of src/lib/username.ts does. */
export const Username = (minLength = 1) => Type.String({ minLength, maxLength: 150, pattern, examples: ['alice'] })
