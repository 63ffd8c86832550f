/** The template files of this package and of the app. `password-reset.subject.txt` names the mail and the part. */
import { readdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ownFile } from '../lib/own-files.js'
import { refuseOption } from '../lib/refuse-option.js'

export interface Source { file: string, text: string }
export type Extension = 'mjml' | 'html' | 'txt' | 'subject.txt'
export type Files = Partial<Record<Extension, Source>>

/** A built-in mail. Its MJML was compiled when the package was built, so mjml need not be installed. */
export async function readBuiltin (name: string): Promise<Files> {
  const read = async (file: string): Promise<Source> =>
    await readSource(file, fileURLToPath(ownFile(`email-templates/${file}`)))
  return { html: await read(`compiled/${name}.html`), txt: await read(`${name}.txt`) }
}

/** The files of the app's folder, by mail. Files with other names are ignored. */
export async function readFolder (folder: string): Promise<Map<string, Files>> {
  const mails = new Map<string, Files>()
  for (const file of await listFolder(resolve(folder))) {
    const [, name, extension] = /^(\w[\w-]*)\.(mjml|html|txt|subject\.txt)$/.exec(file) ?? []
    if (name === undefined || name.startsWith('_')) continue
    const source = await readSource(file, join(folder, file))
    // The pattern above matches nothing else.
    mails.set(name, { ...mails.get(name), [extension as Extension]: source })
  }
  return mails
}

async function listFolder (folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true })
    return entries.filter(entry => !entry.isDirectory()).map(entry => entry.name).sort()
  } catch (error) {
    // `readdir` rejects with system errors only.
    const { code } = error as NodeJS.ErrnoException
    return refuseOption(`mail.templates: there is no folder ${folder} to read (${code})`)
  }
}

async function readSource (file: string, path: string): Promise<Source> {
  const bytes = await readFile(path)
  try {
    return { file, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) }
  } catch {
    return refuseOption(`mail.templates: ${file} must be in UTF-8`)
  }
}
