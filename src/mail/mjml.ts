/**
 * MJML to HTML, before Liquid puts any value in: no value of a user is ever read as MJML. The package is loaded
 * only for an app that has such a file, since it is heavy and optional.
 */
import { refuseOption } from '../lib/refuse-option.js'
import type { Source } from './template-files.js'

// Without `fonts` MJML would link to Google's for some font names; `mj-font` still does what it says.
const options = { validationLevel: 'strict', ignoreIncludes: true, keepComments: false, fonts: {} } as const

export async function compileMjml ({ file, text }: Source): Promise<string> {
  // Ignored it would be missing from the mail, and nobody told.
  if (text.includes('<mj-include')) { refuseOption(`mail.templates: ${file}: mj-include is not supported; copy in what it includes`) }
  const mjml = await loadMjml(file)
  try {
    return (await mjml(text, options)).html
  } catch (error) {
    return refuseOption(`mail.templates: ${file}: ${firstProblem(error as MjmlError)}`)
  }
}

type MjmlError = Error & { errors?: Array<{ line: number, message: string }> }

function firstProblem ({ message, errors: [first] = [] }: MjmlError): string {
  return first ? `${first.message}, line:${first.line}` : message
}

async function loadMjml (file: string) {
  try {
    return (await import('mjml')).default
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code !== 'ERR_MODULE_NOT_FOUND' || !message.includes("'mjml'")) throw error
    return refuseOption(
      `mail.templates: ${file} needs the package mjml (npm install mjml), or give ${file.replace(/mjml$/, 'html')}`
    )
  }
}
