"""How the pages look that the browser ends on."""

import base64
import hashlib

STYLE = """
:root { color-scheme: light dark; --ground: #f4f3f8; --card: #fff; --text: #1d1b26;
  --quiet: #5d596b; --line: #dedbe8; --accent: #4f46c8; --good: #17704a; --bad: #a62c2c; }
@media (prefers-color-scheme: dark) { :root { --ground: #14131a; --card: #1e1c27;
  --text: #eceaf4; --quiet: #a8a3b8; --line: #383447; --accent: #aaa3ff; --good: #6fd3a3;
  --bad: #ff9b93; } }
* { box-sizing: border-box; margin: 0; }
body { min-height: 100vh; display: grid; place-items: center; padding: 1.5rem;
  background: var(--ground); color: var(--text);
  font: 1.0625rem/1.55 system-ui, -apple-system, "Segoe UI", sans-serif; }
main { width: 100%; max-width: 30rem; padding: 2.5rem; background: var(--card);
  border: 1px solid var(--line); border-top: .25rem solid var(--mark);
  border-radius: .75rem; }
.approved { --mark: var(--good); } .refused { --mark: var(--bad); }
.notice { --mark: var(--accent); }
h1 { margin-bottom: 1rem; font-size: 1.5rem; line-height: 1.25; letter-spacing: -.01em;
  text-wrap: balance; }
h1 span { color: var(--mark); }
p + p { margin-top: .75rem; }
p:last-of-type { color: var(--quiet); font-size: .9375rem; }
kbd { padding: .1rem .45rem; border: 1px solid var(--line); border-bottom-width: 2px;
  border-radius: .3rem; font: .9em ui-monospace, monospace; white-space: nowrap; }
footer { margin-top: 2rem; color: var(--quiet); font-size: .875rem; }
"""


def hash_of(text: str) -> str:
    """Return the source expression that lets a page use an inline text (CSP Level 3, 2.3.1)."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
