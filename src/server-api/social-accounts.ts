/** `app.restAuth.socialAccounts`: lists and disconnects the social accounts of a user, and reads their tokens. */
import type { Context } from '../context.js'
import type { RestAuth } from '../rest-auth.js'
import { createProviderTokens } from '../social/provider-tokens.js'
import { deleteSocialAccount, getSocialAccount, listSocialAccounts } from '../store/social-accounts.js'
import { withoutQueryValues } from './without-query-values.js'

type SocialAccountsApi = RestAuth['socialAccounts']
type Options = Pick<Context, 'db' | 'events' | 'settings' | 'userRecords'>

/** `tokens` resolves to undefined if none are stored. */
export function createSocialAccountsApi ({ db, events, settings, userRecords }: Options): SocialAccountsApi {
  const providerTokens = createProviderTokens(settings.secrets)

  const list: SocialAccountsApi['list'] = async userPk =>
    (await listSocialAccounts(db, userRecords.storedPk(userPk)))
      .map(({ userPk: _owner, tokens: _tokens, ...account }) => account)

  const tokens: SocialAccountsApi['tokens'] = async id => {
    const account = await getSocialAccount(db, id)
    return account?.tokens ? await providerTokens.decrypt(account.tokens, account) : undefined
  }

  const disconnect: SocialAccountsApi['disconnect'] = async id => await db.transaction(async tx => {
    const account = await getSocialAccount(tx, id)
    if (!account || !await deleteSocialAccount(tx, id)) return false
    const { userPk, provider } = account
    await events.record(tx, undefined, { type: 'provider_disconnected', userPk, provider })
    return true
  })

  return withoutQueryValues({ list, tokens, disconnect })
}
