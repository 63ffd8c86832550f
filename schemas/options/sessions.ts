/** The option `sessions`. */
import { Type } from '@sinclair/typebox'
import { Group } from './builders.js'

export const SessionOptions = Group({
  max: Type.Integer({
    minimum: 1,
    maximum: 10000,
    default: 100,
    description: 'How many sessions a user may have. A login beyond that ends the oldest one.'
  }),
  notifyNewDevice: Type.Boolean({
    default: true,
    description: 'Send users a mail when they log in from a device and network that they have not used before.'
  })
}, 'How many places a user can be logged in at.')
