/** The option `limits`. */
import { Type } from '@sinclair/typebox'
import { limitedActions, type LimitedAction, type LimitedActionName } from '../limited-actions.js'
import { Group } from './builders.js'

/** The limits of one action. */
const Rules = ({ rules: [first = '', ...more], by, counts }: LimitedAction) =>
  Type.Union([
    Type.Literal(false),
    Type.Array(Type.String({
      pattern: `^[1-9]\\d{0,5}/[1-9]\\d{0,3}[smhd]/(${by.join('|')})$`,
      title: `a limit such as ${first}${by.length > 1 ? `, by ${by.join(' or ')}` : ''}`
    }), { uniqueItems: true })
  ], { description: `How many ${counts}. Default: ${[first, ...more].map(rule => `\`${rule}\``).join(' and ')}.` })

const actions = Object.entries<LimitedAction>(limitedActions).map(([name, action]) => [name, Rules(action)])

const LimitGroup = Group({
  store: Type.Union([
    Type.String({ pattern: '^rediss?://', title: 'a redis:// URL' }), Type.Object({}, { title: 'an ioredis client' })
  ], {
    description: 'Where attempts are counted: a `redis://` URL or your ioredis client. Default: in the database.'
  }),
  lockout: Type.Union([
    Type.Literal(false), Type.Integer({ minimum: 10, maximum: 100, title: 'a whole number from 10 to 100' })
  ], {
    default: 100,
    description: 'How many wrong passwords in a row close the login with a password for a day, or until the password ' +
      'is reset. The user gets a mail. `false`: none do.'
  }),
  ...Object.fromEntries(actions) as Record<LimitedActionName, ReturnType<typeof Rules>>
})

export const LimitOptions = Type.Union([Type.Literal(false), LimitGroup], {
  description: 'How many attempts each action allows in a time; `false` for no limits. Each limit is ' +
    '`count/time/key`, such as `10/1m/ip`. See docs/limits.md.'
})
