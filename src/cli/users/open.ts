/** Opens the server API for a command, as `app.restAuth` is for the app: without a server, and without its mails. */
import Fastify from 'fastify'
import fp from 'fastify-plugin'
import type { Context } from '../../context.js'
import { createPlugin } from '../../plugin.js'
import type { RestAuth } from '../../rest-auth.js'
import { refuseMissingFile, settingsOf } from '../database.js'
import { optionFlags, withOptions, type OptionValues } from '../load-options.js'

export const userFlags = {
  ...optionFlags,
  under: {
    type: 'string',
    value: '<path>',
    summary: 'the prefix of the scope in which your app registers the plugin, if it has one'
  }
} as const

export interface Opened {
  restAuth: RestAuth
  settings: Context['settings']
}

/** Runs `work` on a database that exists and is up to date. Mails are sent by `mail.flush` alone. */
export const withUsers = async <T>(
  command: string,
  { under = '', ...values }: OptionValues & { under?: string | undefined },
  work: (opened: Opened) => Promise<T>
): Promise<T> => await withOptions(command, values, async options => {
  // Providers and limits are for requests; a command need not reach them.
  const given = { ...options, migrate: false, docs: false, limits: false, social: undefined }
  refuseMissingFile(command, settingsOf(options).database)
  const app = Fastify({ pluginTimeout: 0 })
  let settings: Context['settings'] | undefined
  const plugin = createPlugin({
    sendsOnFlushOnly: true,
    // stdout is for the result of the command.
    printMail: text => { process.stderr.write(text) },
    feature: (_app, context) => { settings = context.settings }
  })
  let restAuth: RestAuth | undefined
  void app.register(async scope => {
    await scope.register(fp(plugin), given)
    restAuth = scope.restAuth
  }, { prefix: under })
  try {
    await app.ready()
    if (!restAuth || !settings) throw new Error(`${command}: the plugin did not start`)
    return await work({ restAuth, settings })
  } finally {
    await app.close()
  }
})
