/**
 * The mail templates. Those of the app are checked at start, because a mail that fails later never arrives. The
 * built-in ones need no check, and so an app without its own starts without Liquid, which takes long to load.
 */
import { builtinMails } from '../../schemas/mail.js'
import { onDemand } from '../lib/on-demand.js'
import { refuseOption } from '../lib/refuse-option.js'
import type { Extensions } from '../settings/types.js'
import type { Parse, Template } from './liquid.js'
import { compileMjml } from './mjml.js'
import { readBuiltin, readFolder, type Files, type Source } from './template-files.js'

export interface RenderedMail {
  subject: string
  html: string | undefined
  text: string
}

export interface TemplateOptions extends Extensions {
  /** The app's folder, each file of which replaces the built-in one. */
  folder: string | undefined
}

export interface Templates {
  has: (name: string) => boolean
  names: () => string[]
  render: (name: string, variables: Record<string, unknown>, subjectPrefix?: string) => Promise<RenderedMail>
}

/** The variables without which a mail is useless: it must show all of one set. */
const required = new Map<string, { anyOf: string[][], otherwise: string }>(Object.entries({
  'email-verification': { anyOf: [['activate_url'], ['key']], otherwise: 'nobody can confirm' },
  'password-reset': {
    anyOf: [['password_reset_url'], ['uid', 'token']],
    otherwise: 'nobody can choose a new password'
  },
  'social-account-connected': { anyOf: [['provider']], otherwise: 'nobody learns what was connected' }
}))

interface Mail { subject: Template, html: Template | undefined, text: Template }

/** Reads every template and checks those of the app; throws an option error for the first invalid one. */
export async function loadTemplates ({ folder, ...extensions }: TemplateOptions): Promise<Templates> {
  const createParsers = onDemand(async () => {
    const { createParser } = await import('./liquid.js')
    return { html: createParser('html', extensions), text: createParser('text', extensions) }
  })
  const own = folder === undefined ? new Map<string, Files>() : await readFolder(folder)
  const mails = new Map<string, () => Promise<Mail>>()
  for (const name of new Set([...Object.keys(builtinMails), ...own.keys()])) {
    const builtin = Object.hasOwn(builtinMails, name) ? await readBuiltin(name) : {}
    const files = own.get(name)
    const mail = onDemand(async () => await assemble(name, builtin, files ?? {}, await createParsers()))
    if (files) await mail()
    mails.set(name, mail)
  }
  // This checks the names of the app's filters and tags.
  if (Object.values(extensions).some(added => Object.keys(added).length > 0)) await createParsers()
  return {
    has: name => mails.has(name),
    names: () => [...mails.keys()],
    render: async (name, variables, subjectPrefix = '') => {
      const mail = await mails.get(name)?.()
      if (!mail) throw new Error(`fastify-rest-auth: there is no mail ${name}`)
      return {
        subject: oneLine(subjectPrefix + await mail.subject.render(variables)),
        html: await mail.html?.render(variables),
        text: await mail.text.render(variables)
      }
    }
  }
}

async function assemble (
  name: string,
  builtin: Files,
  own: Files,
  parse: Record<'html' | 'text', Parse>
): Promise<Mail> {
  if (own.mjml && own.html) refuseOption(`mail.templates: ${name}.mjml and ${name}.html are both there; keep one`)
  const ownHtml = await resolveHtml(own, parse.html)
  const html = ownHtml ?? builtin.html
  const text =
    own.txt ??
    builtin.txt ??
    refuseOption(`mail.templates: ${name} needs a ${name}.txt: a mail always has a plain-text part`)
  const subject =
    own['subject.txt'] ??
    titleOf(ownHtml) ??
    titleOf(builtin.html) ??
    refuseOption(
      `mail.templates: ${name} needs a title in its HTML, or a ${name}.subject.txt; ` +
      `the built-in mails are ${Object.keys(builtinMails).join(', ')}`
    )
  for (const source of [text, subject]) if (isBlank(source)) refuseOption(`mail.templates: ${source.file} is empty`)
  const mail = {
    text: parse.text(text),
    // An empty file means: no HTML part.
    html: html && !isBlank(html) ? parse.html(html) : undefined,
    subject: parse.text(subject)
  }
  checkRequired(name, text.file, mail.text)
  if (html && mail.html) checkRequired(name, html.file, mail.html)
  return mail
}

async function resolveHtml ({ mjml, html }: Files, parse: Parse): Promise<Source | undefined> {
  if (!mjml) return html
  // So that an error names the line of the author's file, not of the compiled HTML.
  parse(mjml)
  return { file: mjml.file, text: await compileMjml(mjml) }
}

const isBlank = ({ text }: Source): boolean => text.trim() === ''

const entities = new Map([['amp', '&'], ['lt', '<'], ['gt', '>'], ['quot', '"'], ['apos', "'"], ['nbsp', ' ']])

/** The HTML title as plain text, if there is one: a subject has no entities. */
function titleOf (html: Source | undefined): Source | undefined {
  const [, title = ''] = /<title[^>]*>([^]*?)<\/title>/i.exec(html?.text ?? '') ?? []
  if (!html || title.trim() === '') return undefined
  const text = title.replace(/&(?:#(\d{1,6})|#x([\da-f]{1,5})|(\w+));/gi, (entity, decimal, hexadecimal, name) =>
    name ? entities.get(name) ?? entity : String.fromCodePoint(decimal ? Number(decimal) : parseInt(hexadecimal, 16)))
  return { file: html.file, text }
}

function checkRequired (name: string, file: string, { variables }: Template): void {
  const { anyOf, otherwise } = required.get(name) ?? { anyOf: [[]], otherwise: '' }
  if (anyOf.some(set => set.every(variable => variables.includes(variable)))) return
  const [first, ...others] = anyOf.map(set => set.map(variable => `{{ ${variable} }}`).join(' and '))
  const alternatives = others.length > 0 ? ` (or ${others.join(', ')})` : ''
  refuseOption(`mail.templates: ${file} must show ${first}${alternatives}: without it ${otherwise}`)
}

/** No value can start another header line. */
const oneLine = (subject: string): string => subject.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ').trim()
