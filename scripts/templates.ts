/**
 * Compiles the built-in mails from MJML to HTML, so that an app needs the package mjml only for MJML files it adds. A
 * test fails when a compiled file is out of date.
 *
 *   npm run templates
 */
import { readFile, writeFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { builtinMails } from '../schemas/mail.js'
import { compileMjml } from '../src/mail/mjml.js'

export const templatesFolder = new URL('../email-templates/', import.meta.url)

/** A built-in mail as HTML, without the indentation: half the size, and still readable in a diff. */
export async function compiledMail (name: string): Promise<string> {
  const file = `${name}.mjml`
  const html = await compileMjml({ file, text: await readFile(new URL(file, templatesFolder), 'utf8') })
  return html.replace(/^\s+/gm, '')
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  for (const name of Object.keys(builtinMails)) {
    await writeFile(new URL(`compiled/${name}.html`, templatesFolder), await compiledMail(name))
  }
}
