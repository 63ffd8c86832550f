/** `app.restAuth.socialAccounts`: what the app's own code may do with the connections of its users. */
import type { Context } from '../context.js'
import type { RestAuth } from '../rest-auth.js'
import { createProviderTokens } from '../social/provider-tokens.js'
import { deleteSocialAccount, getSocialAccount, listSocialAccounts } from '../store/social-accounts.js'
import { withoutQueryValues } from './without-query-values.js'

export function createSocialAccountsApi ({ db, settings }: Pick<Context, 'db' | 'settings'>): RestAuth['socialAccounts'] {
  const providerTokens = createProviderTokens(settings.secrets)

  const socialAccounts: RestAuth['socialAccounts'] = {
    list: async userPk =>
      (await listSocialAccounts(db, userPk)).map(({ userPk: _owner, tokens: _tokens, ...account }) => account),

    async tokens (id) {
      const account = await getSocialAccount(db, id)
      return account?.tokens ? await providerTokens.decrypt(account.tokens, account) : undefined
    },

    disconnect: async id => await deleteSocialAccount(db, id)
  }
  return withoutQueryValues(socialAccounts)
}
