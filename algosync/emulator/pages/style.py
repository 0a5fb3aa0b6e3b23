"""The style of the pages: one column, light or dark as the browser prefers, no external resources."""

import base64
import hashlib

STYLE = """
:root { color-scheme: light dark; --line: #8884; --faint: #666; --bad: #b3151f; --good: #12692f; --busy: #8a5300; --link: #0b57c2 }
@media (prefers-color-scheme: dark) {
  :root { --faint: #a3a3a3; --bad: #ff8f8f; --good: #7fd893; --busy: #f0bd6c; --link: #93bcff }
}
html { scrollbar-gutter: stable }
* { box-sizing: border-box }
body { margin: 0 auto; padding: 0 1rem 3rem; max-width: 56rem; font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere }
a { color: var(--link) }
nav { display: flex; flex-wrap: wrap; gap: 0 1.25rem; border-bottom: 1px solid var(--line) }
nav a { padding: .75rem 0; text-decoration: none }
nav a[aria-current] { font-weight: 600; color: inherit }
header { padding-top: .75rem; color: var(--faint); font-size: .875rem; unicode-bidi: isolate }
.parts { display: flex; flex-wrap: wrap; gap: 0 1.25rem }
.parts a { padding: .25rem 0 }
.long { white-space: pre; overflow-x: auto; overflow-wrap: normal }
h1 { margin: 1.25rem 0 .5rem; font-size: 1.375rem; line-height: 1.25 }
h2 { margin: 1.75rem 0 .25rem; font-size: 1.0625rem }
ul { margin: 0; padding: 0; list-style: none }
li { padding: .5rem 0; border-bottom: 1px solid var(--line); unicode-bidi: isolate }
p { margin: .25rem 0 }
p, small, dd { unicode-bidi: isolate }
small { display: block; color: var(--faint); font-size: .875rem }
li a { display: inline-block; padding: .25rem 0; font-weight: 600 }
b { font-weight: 600 }
summary { padding: .25rem 0; font-size: .875rem; cursor: pointer }
.failed, a.failed { color: var(--bad) }
.succeeded { color: var(--good) }
.in-progress { color: var(--busy) }
dl { display: grid; grid-template-columns: minmax(6rem, max-content) 1fr; gap: .125rem 1rem; margin: 0 }
dt { color: var(--faint) }
dd { margin: 0 }
.id { display: inline-block }
code, pre { font: .875rem/1.45 ui-monospace, monospace }
pre { margin: .5rem 0; padding: .75rem; border: 1px solid var(--line); border-radius: .25rem; white-space: pre-wrap }
"""

POLICY = "; ".join(
    [
        "default-src 'none'",
        f"style-src 'sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
)
"""Even injected HTML cannot run scripts, load resources, send forms or be framed."""
