/**
 * For the tests of an app that registers the plugin: a clock to move, the mails, requests as a user, quick password
 * hashes, and a provider.
 *
 *     const kit = createTestKit()
 *     const app = await buildApp(kit.options)
 *
 * See docs/testing.md.
 */
export { createTestKit } from './kit.js'
export type { Credentials } from './credentials.js'
export type { LoginOptions, TestKit, TestKitOptions, TestOptions } from './kit.js'
export type { TestClock } from './clock.js'
export type { TestMail } from './mails.js'
export { startTestProvider } from './provider.js'
export type { TestPerson } from './grants.js'
export type { TestProvider, TestProviderOptions } from './provider.js'
