/** The option `audit`. */
import { Type } from '@sinclair/typebox'
import { days, Group, Seconds } from './builders.js'

export const defaultRetention = 90 * days

export const AuditOptions = Type.Union([
  Type.Boolean(),
  Group({ retention: Seconds(days, 3650 * days, defaultRetention, 'How long events are kept.') })
], {
  default: false,
  description: 'Store the events of docs/events.md in a table, for you and, at `GET /events`, for the user they are ' +
    'about. `true` keeps them for 90 days.'
})
