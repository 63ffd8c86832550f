/** For tap: every test file counts towards the coverage of all source files. */
import { readdirSync } from 'node:fs'

const files = ['src', 'schemas'].flatMap(folder =>
  readdirSync(new URL(`../${folder}`, import.meta.url), { recursive: true })
    .filter(name => name.endsWith('.ts'))
    .map(name => `${folder}/${name}`)
)

export default () => files
