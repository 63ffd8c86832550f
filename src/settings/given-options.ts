/** The options as an app gives them: what the schema can't type follows from the user fields and the account. */
import type { JsonWebKey } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import type { CheckedOptions, GivenOptions } from '../../schemas/options.js'
import type { Typed } from '../../schemas/options/typed.js'
import type {
  AccountOptions, HooksOptions, MailOptions, PasswordOptions, SocialOptions, TokensOptions
} from '../../schemas/options/types.js'
import type { UserFields } from '../../schemas/user-fields.js'
import type { Provider } from '../providers/provider.js'
import type { AuthEvent, OutgoingMail, PasswordValidator, RegistrationGuard, Tx, types } from '../types.js'
import type {
  Account, ImportedUserOf, NewUserOf, RegistrationOf, StoredUserOf, UserChangesOf, UserOf
} from '../user-types.js'

interface AccountOptionsOf<A extends Account> extends Typed<AccountOptions, {
  username: A['username']
  email: A['email']
  pk: A['pk']
  registration: 'open' | 'closed' | RegistrationGuard
}> {}
interface PasswordOptionsOf extends Typed<PasswordOptions, { validators: PasswordValidator[] }> {}
interface MailOptionsOf<Stored> extends Typed<MailOptions, {
  transport: string | object | ((mail: OutgoingMail) => unknown)
  variables: Record<string, string | number | boolean | object | null | undefined | ((user: Stored) => unknown)>
  filters: Record<string, (value: any, ...parameters: any[]) => unknown>
  tags: Record<string, (...parameters: any[]) => unknown>
}> {}
interface TokenOptionsOf<Stored, Claims> extends Typed<TokensOptions, {
  keys: Array<string | JsonWebKey>
  claims: (user: Stored) => Claims | Promise<Claims>
}> {}
interface SocialOptionsOf extends Typed<SocialOptions, { provider: Provider }> {}

type Hook<Parameters extends unknown[]> = (...parameters: Parameters) => void | Promise<void>
interface Hooks<Stored, Input> extends Typed<HooksOptions, {
  registering: Hook<[input: Input, tx: Tx]>
  registered: Hook<[user: Stored, tx: Tx]>
  loggedIn: Hook<[user: Stored, request: FastifyRequest]>
  emailVerified: Hook<[user: Stored, tx: Tx]>
  userUpdated: Hook<[user: Stored, tx: Tx]>
  passwordChanged: Hook<[user: Stored, tx: Tx]>
  event: Hook<[event: AuthEvent]>
}> {}
/** Functions that the plugin calls at these events. A `Rejection` that one throws becomes a 400 response. */
export interface HooksOf<F extends UserFields, A extends Account = Account>
  extends Hooks<StoredUserOf<F, A>, RegistrationOf<F, A>> {}

/** The options, where a stored user and the input of a registration are `Stored` and `Input`. */
interface OptionsOf<F, A extends Account, Claims, Stored, Input> extends GivenOptions<Typed<CheckedOptions, {
  account: AccountOptionsOf<A>
  userFields: F
  password: PasswordOptionsOf
  mail: MailOptionsOf<Stored>
  tokens: TokenOptionsOf<Stored, Claims>
  social: Record<string, SocialOptionsOf>
  hooks: Hooks<Stored, Input>
}>> {}

/** The options of the plugin. Durations are in seconds. */
export interface RestAuthOptions<
  F extends UserFields = UserFields, A extends Account = Account, Claims extends object = object
> extends OptionsOf<F, A, Claims, StoredUserOf<F, A>, RegistrationOf<F, A>> {}
/** The options of any app: its functions may take the user of that app. */
export interface PluginOptions extends OptionsOf<UserFields, Account, object, any, any> {}

/** Options together with the types that follow from them. */
export interface DefinedOptions<
  F extends UserFields = UserFields, A extends Account = Account, Claims extends object = object
> extends RestAuthOptions<F, A, Claims> {
  readonly [types]?: {
    user: UserOf<F, A>
    stored: StoredUserOf<F, A>
    create: NewUserOf<F, A>
    import: ImportedUserOf<F, A>
    update: UserChangesOf<F, A>
    claims: Claims
  }
}
