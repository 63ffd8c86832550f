/** The version of this package, from its package.json, which is one folder further up from compiled code. */
import { existsSync, readFileSync } from 'node:fs'

const file = ['../../package.json', '../../../package.json']
  .map(path => new URL(path, import.meta.url))
  .find(url => existsSync(url))

const { version }: { version: string } = file ? JSON.parse(readFileSync(file, 'utf8')) : { version: '0.0.0' }
export const packageVersion = version
