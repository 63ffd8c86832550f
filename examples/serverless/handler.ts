/** What AWS Lambda loads: `handler` for requests, `sendMails` for a schedule, such as once a minute. */
import { buildApp, createHandler } from './app.js'

// Outside the handlers, so that it runs once per process and not once per request. AWS Lambda limits the start itself.
const app = await buildApp({}, { logger: { level: 'warn' }, pluginTimeout: 0 })
export const handler = createHandler(app)
await app.ready()

/** Sends the mails whose first attempt failed. */
export const sendMails = async () => await app.restAuth.mail.flush()
