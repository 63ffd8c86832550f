/** An app with a hostile provider, where users log in with a posted code, as a single-page app does. */
import type { LightMyRequestResponse } from 'fastify'
import { google } from '../../src/providers/google.js'
import { startBadProvider, type BadPerson } from './hostile-provider.js'
import { articleOptions, type Build, type BuildOptions, type CallOptions, type Test } from './build.js'

export { sharedDatabase } from './social-app.js'

export type Bad = Awaited<ReturnType<typeof startBadProvider>>

export interface BadSetup extends BuildOptions {
  /** Overrides options of the provider `company`. */
  provider?: object
  /** More providers, by name. */
  social?: (bad: Bad) => object
  people?: Record<string, BadPerson>
}

/** By default the app trusts the provider's e-mail addresses. */
export async function withBadProvider (
  t: Test, build: Build, { options = {}, provider = {}, social, people, ...rest }: BadSetup = {}
) {
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

/** Options of Google with this provider's endpoints, one of which says to which client a token was issued. */
export const likeGoogle = ({ issuer, endpoints, clientId, clientSecret }: Bad, more: object = {}) =>
  ({ provider: { ...google, issuer, endpoints }, clientId, clientSecret, accessToken: true, ...more })
