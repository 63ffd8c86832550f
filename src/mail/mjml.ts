/** Compiles MJML before Liquid inserts values, so that none is read as MJML. Optional and large: loaded on demand. */
import { refuseOption } from '../lib/refuse-option.js'
import type { Source } from './template-files.js'

// With its default `fonts`, MJML links to Google Fonts for some font names; `mj-font` still works.
const options = { validationLevel: 'strict', ignoreIncludes: true, keepComments: false, fonts: {} } as const

/** The HTML of an MJML file; throws an option error that names the file and the line. */
export async function compileMjml ({ file, text }: Source): Promise<string> {
  // MJML would leave it out of the mail silently.
  if (text.includes('<mj-include')) {
    refuseOption(`mail.templates: ${file}: mj-include is not supported; copy in what it includes`)
  }
  const mjml = await loadMjml(file)
  try {
    return (await mjml(text, options)).html
  } catch (error) {
    // A ValidationError of mjml lists the problems in `errors`; any other error has none.
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
    // A failed import always throws an Error, with Node's code if the module was not found.
    const { code, message } = error as NodeJS.ErrnoException
    if (code !== 'ERR_MODULE_NOT_FOUND' || !message.includes("'mjml'")) throw error
    return refuseOption(
      `mail.templates: ${file} needs the package mjml (npm install mjml), or give ${file.replace(/mjml$/, 'html')}`
    )
  }
}
