/** What a test counts for: all of the package's own code, whichever file tests it. */
import { readdirSync } from 'node:fs'

const files = ['src', 'schemas'].flatMap(folder =>
  readdirSync(new URL(`../${folder}`, import.meta.url), { recursive: true })
    .filter(name => name.endsWith('.ts'))
    .map(name => `${folder}/${name}`)
)

export default () => files
