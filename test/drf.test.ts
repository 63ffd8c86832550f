/**
 * A front end written for dj-rest-auth keeps working: answers equal its own, except for the table below, with reasons.
 * support/dj-rest-auth-replay.ts compares the answers; cookies are in drf-cookies.test.ts, social login is in
 * drf-social.test.ts.
 */
import { createHmac } from 'node:crypto'
import { defaultUserFields } from '../schemas/user-fields.js'
import { recordings, replayScenes, type Difference, type Scene, type Tokens } from './support/dj-rest-auth-replay.js'
import { alice, articleOptions, password, secret, type BuiltApp } from './support/build.js'

const required = ['This field is required.']
const taken = ['User is already registered with this e-mail address.']
const shortAndNumeric = [
  'This password is too short. It must contain at least 8 characters.', 'This password is entirely numeric.'
]
const invalidToken = {
  detail: 'Given token not valid for any token type',
  code: 'token_not_valid',
  messages: [{ token_class: 'AccessToken', token_type: 'access', message: 'Token is invalid' }]
}
const notValid = { detail: 'Token is invalid', code: 'token_not_valid' }
const loggedOut = { detail: 'Successfully logged out.' }
const verificationSent = { detail: 'Verification e-mail sent.' }
const resent = { detail: 'ok' }
const invalidLink = { token: ['Invalid value'] }
const passwordSaved = { detail: 'New password has been saved.' }
const noGet = { detail: 'Method "GET" not allowed.' }
const userOf = (email: string, changes: object = {}) => ({ email, gender: 'F', phone_number: '+15550100', ...changes })
const user = userOf(alice.email)
const djangoUser = { username: 'alice', email: alice.email, first_name: '', last_name: '' }

const why = {
  repeated: 'password2 and new_password2 are optional, and must match if sent',
  length: 'a password may have 256 characters, not 128',
  address: 'an address has at most 254 characters (RFC 5321 §4.5.3.1.3); Django leaves the limit to the column',
  options: 'OPTIONS lists the methods in Allow, without metadata: the OpenAPI document has that',
  stale: 'dj-rest-auth\'s defect: stale credentials block no public route here',
  slash: 'each path works with and without a trailing slash; Django redirects and loses the body',
  html: 'errors are JSON, whatever Accept says: there is no browsable API',
  parser: 'the message of the JSON parser is Node\'s, not Python\'s',
  scheme: 'the scheme is case-insensitive (RFC 9110 §11.1)',
  claims: 'an invalid token is just invalid: the answer does not say what it lacks',
  refresh: 'refresh tokens are opaque, so none can have the type of an access token',
  crash: 'bad input must not cause a 500',
  duplicate: 'dj-rest-auth\'s defect: a taken address is reported, verified or not, and is not a 500',
  enumeration: 'with mandatory verification a taken address gets the answer of a new one, and a mail tells the owner',
  cooldown: 'dj-rest-auth\'s defect: resend has no cooldown; here an address gets one mail in three minutes',
  first: 'dj-rest-auth\'s defect: resend without an address mails the first user of the table',
  stranger: 'a wrong uid and a wrong token get the same answer',
  page: 'the mailed link opens a page',
  deadLink: 'the page of a used, expired or invalid link is a 404',
  unproven: 'what an unproven registration said of the user is emptied, because a stranger may have said it',
  mailbox: 'following the reset link verifies the address',
  reset: 'dj-rest-auth\'s defect: a password reset must end every session',
  keyCase: 'keys are case-sensitive: they are base64url',
  username: 'where users have usernames, answers show them',
  unasked: 'dj-rest-auth\'s defect: a username that is not configured is not required, and is ignored',
  logout: 'logout is idempotent: missing, used or unknown tokens are not an error',
  ended: 'a session ends on the server, with or without cookies',
  session: 'the session that changed the password continues, the others end',
  key: 'a login returns the user with the key',
  badKey: 'a key that is not valid is reported like any other token',
  own: 'dj-rest-auth\'s defect: a user\'s own username is not taken',
  common: 'the list of common passwords is zxcvbn\'s, which lacks 123: it is still too short and numeric',
  language: 'messages are in English',
  lookup: 'a token is valid while its session lives and its user is active',
  unexplained: 'the answer does not say why a token is invalid, and the status is 401',
  noSession: 'a deactivated user has no session left',
  get: 'a GET changes nothing: mail scanners and prefetchers follow links'
}

const differences: Record<string, Difference> = {
  'register.empty': {
    why: why.repeated,
    status: 400,
    body: { email: required, password1: required, gender: required, phone_number: required }
  },
  'register.no_body': {
    why: why.repeated,
    status: 400,
    body: { email: required, password1: required, gender: required, phone_number: required }
  },
  'register.email_too_long': {
    why: why.address,
    status: 400,
    body: { email: ['Ensure this field has no more than 254 characters.'] }
  },
  'register.missing_password2': { why: why.repeated, status: 201, body: { user: userOf('m@example.com') } },
  'register.options': { why: why.options, status: 204, body: null },
  'register.bad_bearer': { why: why.stale, status: 201, body: { user: userOf('third@example.com') } },
  'register.no_trailing_slash': { why: why.slash, status: 201, body: { user: userOf('slash@example.com') } },
  'register.accept_html_get': { why: why.html, status: 405, body: noGet },

  'login.malformed_json': { why: why.parser, status: 400, body: /^\{"detail":"JSON parse error - [^"]+"\}$/ },
  'login.with_expired_bearer': { why: why.stale, status: 200, body: { user } },
  'login.accept_html': { why: why.html, status: 405, body: noGet },

  'user.get_lowercase_bearer': { why: why.scheme, status: 200, body: user },
  'user.get_refresh_as_access': { why: why.refresh, status: 401, body: invalidToken },
  'user.get_no_user_claim': { why: why.claims, status: 401, body: invalidToken },
  'user.get_non_numeric_user': {
    why: why.crash,
    status: 401,
    body: { detail: 'User not found', code: 'user_not_found' }
  },
  'user.get_no_jti': { why: why.claims, status: 401, body: invalidToken },
  'user.get_no_type': { why: why.claims, status: 401, body: invalidToken },
  'user.options': { why: why.options, status: 204, body: null },
  'user.options_no_auth': { why: why.options, status: 204, body: null },
  'user.patch_malformed': { why: why.parser, status: 400, body: /^\{"detail":"JSON parse error - [^"]+"\}$/ },

  'password_change.missing_2': { why: why.repeated, status: 200, body: passwordSaved },
  'password_change.weak': { why: why.common, status: 400, body: { new_password2: shortAndNumeric } },
  'password_change.too_long': { why: why.length, status: 200, body: passwordSaved },
  'password_change.options': { why: why.options, status: 204, body: null },

  'password_reset_confirm.link_get': {
    why: why.page,
    status: 200,
    body: /<form method="post">[^]*name="new_password1"/
  },
  'password_reset_confirm.empty': {
    why: why.repeated,
    status: 400,
    body: { new_password1: required, uid: required, token: required }
  },
  'password_reset_confirm.bad_uid': { why: why.stranger, status: 400, body: invalidLink },
  'password_reset_confirm.bad_uid_and_token': { why: why.stranger, status: 400, body: invalidLink },
  'password_reset_confirm.access_still_valid': { why: why.reset, status: 401, body: invalidToken },

  'logout.options': { why: why.options, status: 204, body: null },
  'misc.root': { why: why.html, status: 404, body: { detail: 'Not found.' } },

  'mandatory.resend.within_cooldown': { why: why.cooldown, status: 200, body: resent, mails: 0 },
  'mandatory.resend.second': { why: why.cooldown, status: 200, body: resent, mails: 0 },
  'mandatory.register.duplicate_verified_and_bad_password': {
    why: `${why.enumeration}; ${why.common}`,
    status: 400,
    body: { password1: shortAndNumeric }
  },
  'mandatory.confirm_link.get_bad': {
    why: why.deadLink,
    status: 404,
    body: /^<!doctype html>[^]*This link does not work/i
  },
  'mandatory.login.after_reset_still_unverified': {
    why: `${why.mailbox}; ${why.unproven}`,
    status: 200,
    body: { user: userOf('carol@example.com', { gender: '', phone_number: '' }) }
  },
  'optional.register.duplicate_unverified': { why: why.duplicate, status: 400, body: { email: taken } },

  'articlemodel.register.ok_no_username': {
    why: why.username,
    status: 201,
    body: { user: { username: null, ...user } }
  },
  'articlemodel.register.username_given': {
    why: why.username,
    status: 201,
    body: { user: userOf('bob@example.com', { username: 'bobby' }) }
  },
  'articlemodel.login.duplicate_email': { why: why.username, status: 200, body: { user: { username: null, ...user } } },
  'articlemodel_legacy.register.no_username': { why: why.unasked, status: 201, body: { user } },
  'nousername_keepfield.register.no_username': { why: why.unasked, status: 201, body: { user } },
  'nousername_keepfield.register.with_username': { why: why.unasked, status: 201, body: { user } },

  'default.register.empty': { why: why.repeated, status: 400, body: { username: required, password1: required } },
  'default.register.no_email': {
    why: why.key,
    status: 201,
    body: { user: { ...djangoUser, username: 'al', email: '' } }
  },
  'default.register.ok': { why: why.key, status: 201, body: { user: djangoUser } },
  'default.login.email': { why: why.key, status: 200, body: { user: djangoUser } },
  'default.user.patch_username_same': { why: why.own, status: 200, body: djangoUser },
  'default.resend.no_email': { why: why.first, status: 400, body: { email: required } },

  'set.no_cookie.logout': { why: why.ended, status: 200, body: loggedOut },
  'set.check_revoke.user_after': { why: why.session, status: 200, body: user },
  'set.nohmac.verify': { why: why.keyCase, status: 404, body: { detail: 'Not found.' } },
  'set.lang_es.register': { why: why.language, status: 201, body: verificationSent },
  'set.lang_es.login': { why: why.language, status: 400, body: { non_field_errors: ['E-mail is not verified.'] } },
  'token_verify.unknown_user': { why: why.lookup, status: 401, body: notValid },
  'token_refresh.access_as_refresh': { why: why.refresh, status: 401, body: notValid },
  'token_refresh.unknown_user': { why: why.crash, status: 401, body: notValid },
  'token_refresh.inactive_user': { why: why.noSession, status: 401, body: notValid },
  'token_refresh.no_user_claim': { why: why.claims, status: 401, body: notValid },
  'full.verify.blacklisted_refresh': { why: why.unexplained, status: 401, body: notValid },
  'bodyrefresh.logout.missing': { why: why.logout, status: 200, body: loggedOut },
  'bodyrefresh.logout.again': { why: why.logout, status: 200, body: loggedOut },
  'bodyrefresh.logout.string_body': {
    why: why.crash,
    status: 400,
    body: { non_field_errors: ['Invalid data. Expected a dictionary, but got str.'] }
  },
  'tokennosession.logout.no_auth': { why: why.logout, status: 200, body: loggedOut },
  'session.token_verify_absent': { why: why.html, status: 404, body: { detail: 'Not found.' } },
  'token.login.again': { why: why.key, status: 200, body: { user } },
  'token.user.get_token_spaces': {
    why: why.badKey,
    status: 401,
    body: { detail: 'Authorization header must contain two space-delimited values', code: 'bad_authorization_header' }
  },
  'tokennosession.register.ok': { why: why.key, status: 201, body: { user } },
  'tokennosession.register.bad': {
    why: why.repeated,
    status: 400,
    body: { email: required, password1: required, gender: required, phone_number: required }
  },
  'logoutget.get': { why: why.get, status: 405, body: noGet },

  'set.lang_es.empty': {
    why: why.language,
    status: 400,
    body: { email: required, password1: required, gender: required, phone_number: required }
  }
}

const resetPassword = 'Reset-pw-9x'
const drf = { errors: 'drf' }
const article = { ...drf, password: { requireOld: false }, tokens: { refresh: { rotate: false } } }
const verifying = (emailVerification: 'optional' | 'mandatory', account: object = {}) => ({
  ...article,
  account: { ...articleOptions.account, emailVerification, ...account }
})
const withKey = { ...article, tokens: { format: 'opaque' } }
const withUsername = { ...article, account: { ...articleOptions.account, username: 'optional' } }
const registerAlice = async ({ register }: BuiltApp, tokens: Tokens) => {
  const { access, refresh } = await register()
  Object.assign(tokens, { access, refresh })
}

const scenes: Record<string, Scene> = {
  'the article\'s app': {
    of: [
      'register.', 'login.', 'user.', 'password_change.', 'password_reset.', 'password_reset_confirm.',
      'logout.', 'misc.'
    ],
    options: article,
    before: {
      start: async (app, tokens) => {
        await registerAlice(app, tokens)
        tokens.expired = tokens.access ?? ''
        app.clock.advance(301)
      },
      'login.inactive_user': async ({ app, post }, tokens) => {
        const { access, user } = (await post('/login', { email: 'form@example.com', password })).json()
        tokens.inactive = access
        await app.restAuth.users.deactivate(user.pk)
      },
      'user.get_refresh_as_access': async (_app, tokens) => {
        const { access = '' } = tokens
        tokens.unsigned = forge(access, { header: { alg: 'none' }, signed: false })
        tokens['no-user'] = forge(access, { claims: { sub: undefined } })
        tokens['odd-user'] = forge(access, { claims: { sub: 'abc' } })
        tokens['no-id'] = forge(access, { claims: { jti: undefined } })
        tokens['no-type'] = forge(access, { header: { typ: undefined } })
      },
      'user.patch_readonly_ignored': async ({ patch }, { access }) => {
        await patch('/user', { gender: 'NS' }, { token: access })
      },
      'password_change.no_auth': async ({ patch }, { access }) => {
        await patch('/user', { gender: 'M' }, { token: access })
      },
    }
  },
  'the article\'s app where verification is mandatory': {
    of: ['mandatory.'],
    options: {
      ...verifying('mandatory', { confirmEmailOnGet: true }),
      urls: { login: 'http://localhost:8000/dj-rest-auth/login' }
    },
    before: {
      'mandatory.verify.reuse': async ({ post }, { key }) => { await post('/registration/verify-email', { key }) },
      'mandatory.verify.expired_key': async ({ post, mails, clock }) => {
        await post('/registration', { ...alice, email: 'late@example.com' })
        await mails()
        clock.advance(4 * 86400)
      },
      'mandatory.login.after_reset_still_unverified': async ({ post }, { uid, token }) => {
        await post('/password/reset/confirm', { uid, token, new_password1: resetPassword })
      }
    }
  },
  "the article's app where verification is optional": {
    of: ['optional.'],
    options: verifying('optional'),
    before: { start: registerAlice }
  },
  'an app with optional usernames': { of: ['articlemodel.'], options: withUsername },
  'an app whose usernames Django wanted though none were configured': {
    of: ['articlemodel_legacy.', 'nousername_keepfield.'],
    options: article
  },
  'an app that asks for the old password': {
    of: ['full.'],
    options: { ...drf, password: { requireOld: true } },
    before: {
      'full.verify.blacklisted_refresh': async ({ post, clock }, tokens) => {
        tokens['used-refresh'] = (
          await post('/login', { email: alice.email, password: 'Brand-new-pw-1' })
        ).json().refresh
        await post('/token/refresh', { refresh: tokens['used-refresh'] })
        clock.advance(11)
      }
    }
  },
  'an app with Django\'s own user': {
    of: ['default.'],
    options: {
      ...drf,
      tokens: { format: 'opaque' },
      account: {
        username: 'required',
        email: 'optional',
        loginMethods: ['username', 'email'],
        emailVerification: 'optional'
      },
      userFields: defaultUserFields
    }
  },
  'the article\'s app, when a token is tried or exchanged': {
    of: ['token_verify.', 'token_refresh.'],
    options: article,
    before: {
      start: async (app, tokens) => {
        await registerAlice(app, tokens)
        tokens['unknown-user'] = forge(tokens.access ?? '', { claims: { sub: '99999' } })
        tokens['no-user'] = forge(tokens.access ?? '', { claims: { sub: undefined } })
        const [deleted, inactive] = [
          await app.register({ email: 'deleted@example.com' }), await app.register({ email: 'inactive@example.com' })
        ]
        await app.app.restAuth.users.delete(deleted.user.pk)
        await app.app.restAuth.users.deactivate(inactive.user.pk)
        Object.assign(tokens, { 'deleted-refresh': deleted.refresh, 'inactive-refresh': inactive.refresh })
      },
      'token_refresh.expired': async ({ clock }, tokens) => {
        tokens['expired-refresh'] = tokens.refresh ?? ''
        clock.advance(8 * 86400)
      },
      'token_refresh.ok_body': async ({ post }, tokens) => {
        Object.assign(tokens, (await post('/login', { email: alice.email, password })).json())
      }
    }
  },
  'an app whose logout takes the refresh token from the body': { of: ['bodyrefresh.'], options: article },
  'an app with keys': { of: ['token.'], options: withKey, before: { start: registerAlice } },
  'an app with keys and no sessions': { of: ['tokennosession.'], options: withKey },
  'an app without tokens': { of: ['session.'], options: withKey },
  'an app that logs out by GET': { of: ['logoutget.'], options: article },
  'an app without cookies': { of: ['set.no_cookie.', 'set.httponly_false.'], options: article },
  'an app whose mails name the site': { of: ['set.sites_domain.'], options: article },
  'an app that revokes tokens': { of: ['set.check_revoke.'], options: article, before: { start: registerAlice } },
  'an app that mails keys from its database': {
    of: ['set.nohmac.'],
    options: verifying('mandatory'),
    before: { start: registerAlice }
  },
  'an app that limits requests, but not those about addresses': { of: ['throttle.'], options: verifying('optional') },
  'an app in Spanish': { of: ['set.lang_es.'], options: verifying('mandatory') }
}

replayScenes(recordings.filter(({ name }) => !name.startsWith('social')), scenes, differences)

interface Forgery {
  header?: Record<string, unknown>
  claims?: Record<string, unknown>
  signed?: boolean
}

/** A token with the right signature (or none) and something wrong with what is signed. */
function forge (token: string, { header = {}, claims = {}, signed = true }: Forgery): string {
  const changed = token.split('.').slice(0, 2).map((part, index) => {
    const changes = [header, claims][index]
    return Buffer.from(
      JSON.stringify({ ...JSON.parse(Buffer.from(part, 'base64url').toString()), ...changes })
    ).toString('base64url')
  }).join('.')
  return `${changed}.${signed ? createHmac('sha256', secret).update(changed).digest('base64url') : ''}`
}
