/** The option `mail`. */
import { Type } from '@sinclair/typebox'
import { Func, Group, Text } from './builders.js'

const Transport = Type.Union(
  [Text(), Func('`async ({ to, from, subject, text, html, headers }) => {}`'), Type.Object({})],
  {
    title: "'console', an SMTP URL, nodemailer options or transport, or a function",
    default: 'console',
    description: '`console`, `smtp://…`, nodemailer options or transport, or an async function of ' +
      '`{ to, from, subject, text, html, headers }`. Production refuses `console`, because it prints links that ' +
      'open accounts.'
  }
)

export const MailOptions = Group({
  transport: Transport,
  from: Text('Sender: `App <noreply@app.example>`. Default: `site.name`, and noreply at `site.domain`.'),
  subjectPrefix: Type.String({
    pattern: '^[^\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029]*$',
    title: 'one line of text',
    description: 'Text before every subject. Default: `[site.name] `.'
  }),
  templates: Text('Folder of your own templates. Each file replaces the built-in one of the same name.'),
  variables: Type.Record(Type.String(), Type.Unknown(), {
    description: 'Your own template variables: values, or functions of the user.'
  }),
  filters: Type.Record(Type.String(), Func('`(value, ...arguments) => value`'), {
    description: 'Your own Liquid filters: `(value, ...arguments) => value`.'
  }),
  tags: Type.Record(Type.String(), Func('`(...arguments) => text`'), {
    description: 'Your own Liquid tags: `(...arguments) => text`.'
  })
}, 'How mails are sent, and their templates.')
