/** What Swagger UI lacks: it is readable on a phone, and dark where the browser is. */

// Swagger UI has dark colours of its own, for a button that we do not show.
const script = `
const dark = matchMedia('(prefers-color-scheme: dark)')
const follow = () => document.documentElement.classList.toggle('dark-mode', dark.matches)
dark.addEventListener('change', follow)
follow()
// Without it, phones lay the page out for a wide screen.
document.head.append(Object.assign(document.createElement('meta'), { name: 'viewport', content: 'width=device-width' }))
`

const style = `
:root { color-scheme: light dark; }
html:not(.dark-mode) { color-scheme: light; }
@media (max-width: 40rem) {
.swagger-ui .wrapper { padding: 0 .75rem; }
.swagger-ui .info { margin: 1.5rem 0; }
.swagger-ui .info .title { font-size: 1.5rem; }
.swagger-ui .scheme-container { padding: 1rem 0; }
.swagger-ui .opblock-tag { flex-wrap: wrap; font-size: 1.25rem; }
.swagger-ui .opblock-tag small { flex: 1 0 100%; padding: 0; }
.swagger-ui .opblock .opblock-summary { flex-wrap: wrap; }
.swagger-ui .opblock-summary-control { flex-wrap: wrap; gap: .25rem .5rem; min-width: 0; }
.swagger-ui .opblock .opblock-summary-method { min-width: 4rem; padding: .25rem 0; }
.swagger-ui .opblock .opblock-summary-path-description-wrapper { flex-wrap: wrap; gap: .25rem .5rem; min-width: 0; }
.swagger-ui .opblock .opblock-summary-path { max-width: 100%; overflow-wrap: anywhere; }
.swagger-ui .opblock .opblock-summary-description { flex: 1 0 100%; }
.swagger-ui table.parameters, .swagger-ui table.responses-table { table-layout: fixed; }
.swagger-ui table.parameters tbody, .swagger-ui table.responses-table tbody { overflow-wrap: anywhere; }
.swagger-ui .parameters-col_name, .swagger-ui .response-col_status { width: 4.5rem; }
.swagger-ui .response-col_links { display: none; }
.swagger-ui .opblock-description-wrapper, .swagger-ui .opblock-section-header { padding: .75rem; }
.swagger-ui .dialog-ux .modal-ux { min-width: 0; width: calc(100vw - 1rem); }
}
`

export const swaggerUiTheme = {
  css: [{ filename: 'theme.css', content: style }],
  js: [{ filename: 'theme.js', content: script }]
}
