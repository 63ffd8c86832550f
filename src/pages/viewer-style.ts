/** The style of the mail viewer: the list is beside the mail or, on a narrow screen, has a page of its own. */
import { common } from './style.js'

export const viewerStyle = `${common}
.viewer { display: grid; grid-template: auto 1fr / minmax(16rem, 24rem) minmax(0, 1fr); height: 100vh; }
.viewer > header { padding: .75rem 1rem; background: var(--card); border-bottom: 1px solid var(--line); }
.viewer > header { grid-column: 1 / -1; }
h1, h2 { margin: 0; font-size: 1.25rem; line-height: 1.3; }
h1 a { color: inherit; text-decoration: none; }
.mails { overflow-y: auto; background: var(--card); border-right: 1px solid var(--line); }
.mails ul { margin: 0; padding: 0; list-style: none; }
.mails li { border-bottom: 1px solid var(--line); }
.mails a { display: block; padding: .75rem 1rem; color: inherit; text-decoration: none; }
.mails a { border-left: 4px solid transparent; }
.mails a:hover { background: var(--ground); color: inherit; }
.mails a[aria-current] { border-left-color: var(--accent); background: var(--ground); }
.mails a:focus-visible { outline-offset: -3px; }
.mails b, .mails span, .mails time { display: block; }
.mails span, .mails time { color: var(--muted); font-size: .875rem; }
main { display: flex; flex-direction: column; gap: 1rem; padding: 1rem 1.25rem; overflow-y: auto; }
main:focus { outline: none; }
.notice { max-width: 40rem; margin: 2rem auto; background: var(--card); border: 1px solid var(--line); }
main p { margin: 0; }
.back { display: none; }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .25rem 1rem; margin: 0; }
dl { font-size: .9375rem; }
dt { color: var(--muted); }
dd { margin: 0; }
.tabs { display: flex; flex-wrap: wrap; gap: .5rem; }
.tabs a { padding: .375rem 1rem; border: 1px solid var(--field); border-radius: .5rem; text-decoration: none; }
.tabs a[aria-current] { background: var(--accent); color: var(--on-accent); border-color: transparent; }
.part { margin: 0; padding: 1rem; background: var(--card); border: 1px solid var(--line); border-radius: .5rem; }
pre { font: .9375rem/1.6 ui-monospace, monospace; white-space: pre-wrap; }
dl.part { align-content: start; font: .875rem/1.6 ui-monospace, monospace; }
iframe.part { flex: 1; width: 100%; min-height: 24rem; padding: 0; background: #fff; color-scheme: light; }
@media (max-width: 48rem) {
.viewer { display: block; height: auto; min-height: 100vh; }
.mails { border-right: 0; }
.viewer:not(.reading) main:has(.tabs), .reading .mails, .reading > header { display: none; }
.back { display: block; }
main { min-height: 100vh; padding: 1rem; }
dl.part { display: block; }
iframe.part { min-height: 70vh; }
}
`
