/**
 * A real SMTP server for tests: accepted mails are parsed into `mails`, commands are recorded as they came over the
 * wire, and `mode` makes it fail as real servers do. Starting one takes a millisecond or two, closing it less.
 */
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { simpleParser } from 'mailparser'
import { SMTPServer, type SMTPServerSession } from 'smtp-server'
import { SMTPConnection } from 'smtp-server/lib/smtp-connection'

export type MailServerMode =
  | 'ok'
  /** Resets every connection. (For a port without a listener, close the server.) */
  | 'refuse-connection'
  /** Accepts connections, and sends nothing. */
  | 'silent'
  /** Greets, then sends a byte at a time without end. */
  | 'slow'
  /** 550 for `rejected`, or for every recipient. */
  | 'reject-recipient'
  | 'reject-sender'
  | 'reject-data'
  /** 451, as greylisting does. */
  | 'temporary'
  /** Hangs up after DATA without accepting the mail. */
  | 'drop-after-data'
  /** Accepts the mail, and hangs up before its reply. */
  | 'lose-answer'

export interface CaughtMail {
  envelope: { from: string, to: string[] }
  raw: string
  to: string
  from: string
  subject: string
  text: string
  html: string
  headers: Map<string, unknown>
  messageId: string
}

export interface MailServerOptions {
  auth?: { user: string, pass: string } | undefined
  /** With a self-signed certificate. */
  tls?: 'starttls' | 'implicit' | undefined
}

export interface MailServer {
  host: string
  port: number
  /** For `mail.transport`, with the password. */
  url: string
  mode: MailServerMode
  /** The one recipient that 'reject-recipient' rejects. */
  rejected: string | undefined
  /** The text of a rejection. */
  refusal: string
  mails: CaughtMail[]
  /** Every command line of every connection. */
  commands: string[]
  /** How many connections there were. */
  connections: number
  close: () => Promise<void>
}

export async function startMailServer ({ auth, tls }: MailServerOptions = {}): Promise<MailServer> {
  const sockets = new Set<Socket>()
  const listener = createServer(socket => {
    server.connections++
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket)).on('error', () => {})
    if (server.mode === 'refuse-connection') socket.resetAndDestroy()
    else if (server.mode === 'slow') trickle(socket)
    else if (server.mode !== 'silent') talk(smtp, socket, server.commands)
  })
  await new Promise<void>(resolve => { listener.listen(0, '127.0.0.1', resolve) })
  const { port } = listener.address() as AddressInfo
  const login = auth ? `${encodeURIComponent(auth.user)}:${encodeURIComponent(auth.pass)}@` : ''
  const url = `${tls === 'implicit' ? 'smtps' : 'smtp'}://${login}127.0.0.1:${port}`
  const close = async () => {
    for (const socket of sockets) socket.destroy()
    if (listener.listening) await new Promise(resolve => { listener.close(resolve) })
  }
  const server: MailServer = {
    host: '127.0.0.1',
    port,
    url,
    mode: 'ok',
    rejected: undefined,
    refusal: '5.7.1 Not here',
    mails: [],
    commands: [],
    connections: 0,
    close
  }
  const smtp = createSmtp(server, { auth, tls }, ({ remotePort }) =>
    [...sockets].find(socket => socket.remotePort === remotePort)?.destroy()
  )
  return server
}

function createSmtp (
  server: MailServer, { auth, tls }: MailServerOptions, hangUp: (session: SMTPServerSession) => void
): SMTPServer {
  const reject = (responseCode: number) => Object.assign(new Error(server.refusal), { responseCode })
  let kept: Promise<unknown> = Promise.resolve()
  /** Parses one mail at a time, so that they keep their order. */
  function keep (raw: Buffer, { envelope: { mailFrom, rcptTo } }: SMTPServerSession): Promise<unknown> {
    const envelope = { from: mailFrom ? mailFrom.address : '', to: rcptTo.map(({ address }) => address) }
    kept = kept.then(async () => server.mails.push({ envelope, ...await parse(raw) }))
    return kept
  }
  const smtp = new SMTPServer({
    // Its logger would warn of the certificate.
    logger: false,
    disableReverseLookup: true,
    disabledCommands: [...(auth ? [] : ['AUTH']), ...(tls === 'starttls' ? [] : ['STARTTLS'])],
    authOptional: !auth,
    allowInsecureAuth: true,
    secure: tls === 'implicit',
    needsUpgrade: tls === 'implicit',
    onAuth: ({ username, password }, _session, done) =>
      done(
        null,
        username === auth?.user && password === auth?.pass
          ? { user: username }
          : { message: server.refusal, responseCode: 535 }
      ),
    onMailFrom: (_address, _session, done) => done(server.mode === 'reject-sender' ? reject(550) : null),
    onRcptTo: ({ address }, _session, done) => {
      if (server.mode === 'temporary') return done(reject(451))
      done(server.mode === 'reject-recipient' && [undefined, address].includes(server.rejected) ? reject(550) : null)
    },
    onData: (stream, session, done) => {
      void buffer(stream).then(async raw => {
        if (server.mode === 'reject-data') return done(reject(554))
        if (server.mode === 'drop-after-data') return hangUp(session)
        await keep(raw, session)
        if (server.mode === 'lose-answer') return hangUp(session)
        done()
      }, done)
    }
  })
  // Tests include clients that hang up or refuse the certificate.
  return smtp.on('error', () => {})
}

/** Like `smtp.connect(socket)`, without its delay of 100 ms for clients that talk too soon. */
function talk (smtp: SMTPServer, socket: Socket, commands: string[]): void {
  const connection = new SMTPConnection(smtp, socket)
  const obey = connection._onCommand.bind(connection)
  connection._onCommand = (command, callback) => {
    commands.push(command.toString())
    obey(command, callback)
  }
  connection.on('error', () => {})
  connection._setListeners(() => connection.connectionReady())
}

function trickle (socket: Socket): void {
  socket.write('220 slow\r\n')
  const timer = setInterval(() => socket.write('2'), 10)
  socket.on('close', () => clearInterval(timer)).resume()
}

async function parse (raw: Buffer): Promise<Omit<CaughtMail, 'envelope'>> {
  const { to, from, subject = '', text = '', html, headers, messageId = '' } =
    await simpleParser(raw, { skipHtmlToText: true, skipTextToHtml: true })
  return {
    raw: raw.toString(),
    to: [to ?? []].flat().map(({ text }) => text).join(),
    from: from?.text ?? '',
    subject,
    text,
    html: html || '',
    headers,
    messageId
  }
}
