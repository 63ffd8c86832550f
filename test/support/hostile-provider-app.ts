/** An app whose people come from a provider that says whatever a test wants: by code, as a single-page app would post it. */
import type { LightMyRequestResponse } from 'fastify'
import type { Database } from '../../src/db/database.js'
import { openDatabase } from '../../src/db/open.js'
import { google } from '../../src/providers/google.js'
import { startBadProvider, type BadPerson } from './hostile-provider.js'
import { articleOptions, type Build, type BuildOptions, type BuiltApp, type CallOptions, type Test } from './build.js'
import { temporaryFile } from './databases.js'

export type Bad = Awaited<ReturnType<typeof startBadProvider>>

export interface BadSetup extends BuildOptions {
  /** Beside, or instead of, those of the provider `company`. */
  provider?: object
  /** More providers, by name. */
  social?: (bad: Bad) => object
  people?: Record<string, BadPerson>
}

/** Unless told otherwise the app takes the provider's word for e-mail addresses. */
export async function withBadProvider (t: Test, build: Build, { options = {}, provider = {}, social, people, ...rest }: BadSetup = {}) {
  const bad = await startBadProvider(t, { ...(people && { people }) })
  const company = {
    issuer: bad.issuer,
    clientId: bad.clientId,
    clientSecret: bad.clientSecret,
    trustEmail: true,
    ...provider
  }
  const built = await build(t, {
    ...rest,
    options: { ...articleOptions, ...options, social: { company, ...social?.(bad) } }
  })
  bad.clock = built.clock
  return {
    ...built,
    bad,
    /** Logs a person of the provider in. */
    enter: async (person: string, rest?: CallOptions): Promise<LightMyRequestResponse> =>
      await built.post('/company', { code: `code-${person}` }, rest),
    connect: async (person: string, token: string, rest?: CallOptions): Promise<LightMyRequestResponse> =>
      await built.post('/company/connect', { code: `code-${person}` }, { token, ...rest })
  }
}

/** Its endpoints in the place of Google's, which tell whom an access token was issued to. */
export const likeGoogle = ({ issuer, endpoints, clientId, clientSecret }: Bad, more: object = {}) =>
  ({ provider: { ...google, issuer, endpoints }, clientId, clientSecret, accessToken: true, ...more })

/** A database that the test can read beside the app: to build on, and to open. */
export function sharedDatabase (t: Test, dialect: 'sqlite' | 'postgres') {
  const file = dialect === 'sqlite' ? temporaryFile(t) : undefined
  return {
    given: file === undefined ? {} : { database: file },
    open: async ({ database }: Pick<BuiltApp, 'database'>): Promise<Database> => {
      const db = await openDatabase(file ?? database, [], () => {})
      t.teardown(() => db.close())
      return db
    }
  }
}
