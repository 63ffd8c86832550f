/** The version of this package, from its package.json. */
import { readFileSync } from 'node:fs'
import { ownFile } from './own-files.js'

export function packageVersion (): string {
  const { version }: { version: string } = JSON.parse(readFileSync(ownFile('package.json'), 'utf8'))
  return version
}
