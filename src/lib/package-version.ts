/** The version of this package, from its package.json: one folder higher for what is compiled. */
import { existsSync, readFileSync } from 'node:fs'

const file = ['../../package.json', '../../../package.json']
  .map(path => new URL(path, import.meta.url))
  .find(url => existsSync(url))

export const packageVersion = file ? (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version : '0.0.0'
