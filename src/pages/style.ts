/** The styles of the pages. Contrast: 4.5 for text, 3 for borders and the focus ring (WCAG 2.2, 1.4.3 and 1.4.11). */

export const common = `
:root {
color-scheme: light dark;
--text: #1b2330; --muted: #566172; --ground: #eef1f5; --card: #fff; --line: #d7dce4; --field: #788496;
--accent: #1d5bbf; --accent-hover: #174a9c; --on-accent: #fff; --error: #b3261e; --error-ground: #fdf0ef;
}
@media (prefers-color-scheme: dark) {
:root {
  --text: #e8ebf1; --muted: #a6b0c0; --ground: #12151a; --card: #1b1f27; --line: #323945; --field: #7d899b;
  --accent: #8fb7ff; --accent-hover: #b3ceff; --on-accent: #0f1f3d; --error: #ff9d95; --error-ground: #33201f;
}
}
* { box-sizing: border-box; }
body {
margin: 0; background: var(--ground); color: var(--text); font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere;
}
h1 { margin: 0 0 .75rem; font-size: 1.5rem; line-height: 1.25; text-wrap: balance; }
p { margin: 0 0 1rem; }
a { color: var(--accent); }
a:hover { color: var(--accent-hover); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
`

export const cardStyle = `${common}
body { display: flex; flex-direction: column; align-items: center; min-height: 100vh; padding: 2rem 1rem; }
header, main { width: 100%; max-width: 27rem; }
header { margin: max(0px, 12vh - 2rem) 0 .75rem; color: var(--muted); font-weight: 600; text-align: center; }
main { padding: 2rem; background: var(--card); border: 1px solid var(--line); border-radius: .75rem; }
main > :last-child, form > :last-child { margin-bottom: 0; }
label { display: block; font-weight: 600; }
.hint { margin: 0; color: var(--muted); font-size: .9375rem; }
form + .hint { margin-top: 1rem; }
.field { margin-bottom: 1.25rem; }
.field input {
width: 100%; min-height: 3rem; margin-top: .375rem; padding: .5rem .75rem;
background: transparent; color: inherit; border: 1px solid var(--field); border-radius: .5rem; font: inherit;
}
.field input[aria-invalid] { border-color: var(--error); box-shadow: inset 0 0 0 1px var(--error); }
.error {
margin-top: .5rem; padding: .5rem .75rem;
background: var(--error-ground); color: var(--error); border-radius: .375rem;
}
.error p { margin: 0; }
.button {
display: block; width: 100%; min-height: 3rem; padding: .75rem 1rem; background: var(--accent); color: var(--on-accent);
border: 1px solid transparent; border-radius: .5rem; font: inherit; font-weight: 600; text-align: center;
text-decoration: none; cursor: pointer;
}
.button:hover { background: var(--accent-hover); color: var(--on-accent); }
.second { background: transparent; color: var(--accent); border-color: var(--field); }
.second:hover { background: transparent; color: var(--accent-hover); border-color: currentcolor; }
.for-machines {
position: absolute; width: 1px; height: 1px; padding: 0; border: 0; overflow: hidden; clip-path: inset(50%);
}
@media (max-width: 30rem) {
body { padding: 1rem; }
header { margin-top: .5rem; }
main { padding: 1.5rem 1.25rem; }
}
`
