"""A page for the user's own web server, for Stripe to redirect to where it requires HTTPS.

It shows its own address, to be pasted, and a link to the callback server: a navigation, which
browsers allow even where they block a script's request to loopback.
"""

from collections.abc import Sequence
from string import Template

from m3cred_tui.callback.pages import DOCUMENT, STYLE, hash_of
from m3cred_tui.model.authorization import CALLBACK_PATH, PORT_END

_STYLE = f"""{STYLE}
.notice p:last-of-type {{ color: inherit; font-size: inherit; }}
a, button {{ display: inline-block; margin-top: 1rem; padding: .6rem 1.1rem; border: 0;
  border-radius: .5rem; background: var(--accent); color: var(--card); font: inherit;
  font-weight: 600; text-decoration: none; cursor: pointer; }}
textarea {{ width: 100%; height: 7rem; margin-top: .75rem; padding: .6rem;
  border: 1px solid var(--line); border-radius: .5rem; background: var(--ground);
  color: inherit; font: .8125rem/1.4 ui-monospace, monospace; resize: vertical; }}
h2 {{ margin-top: 2rem; font-size: 1.0625rem; }}
[hidden] {{ display: none; }}
"""

_SCRIPT = Template("""
"use strict";
const ports = $ports;
const names = ["code", "scope", "state", "error", "error_description"];
const given = new URLSearchParams(location.search);
const answer = new URLSearchParams();
for (const name of names) for (const value of given.getAll(name)) answer.append(name, value);
const show = (id) => { document.getElementById(id).hidden = false; };
if (answer.has("code") || answer.has("error")) {
  const named = /^([0-9]+)$end/.exec(answer.get("state") || "");
  const port = named ? Number(named[1]) : 0;
  if (ports.includes(port)) {
    document.getElementById("send").href = "http://127.0.0.1:" + port + "$path?" + answer;
    show("by-link");
  }
  const address = document.getElementById("address");
  address.value = location.href;
  address.addEventListener("focus", () => address.select());
  document.getElementById("copy").addEventListener("click", () => {
    address.select();
    navigator.clipboard.writeText(address.value).then(() => show("copied"), () => {});
  });
  show("by-paste");
} else {
  show("nothing");
}
""")

_HEAD = Template("""\
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; \
style-src '$style_hash'; script-src '$script_hash'; base-uri 'none'; form-action 'none'">
<meta http-equiv="Cache-Control" content="no-store">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
""")

_MAIN = """<h1>Back to your terminal</h1>
<noscript><p>Copy the address of this page from the browser's address bar, and paste it into
your terminal.</p></noscript>
<p id="nothing" hidden>Stripe redirects to this page after an approval. This address
contains no answer from Stripe. Open the URL that your terminal shows.</p>
<div id="by-link" hidden>
<p>Stripe has answered. If m3cred runs on this computer, or a tunnel to it is open:</p>
<p><a id="send" rel="noreferrer">Send to my terminal</a></p>
</div>
<div id="by-paste" hidden>
<h2>Or paste this address into your terminal</h2>
<p><textarea id="address" readonly aria-label="Address to paste" spellcheck="false">
</textarea></p>
<p><button id="copy" type="button">Copy</button> <span id="copied" hidden>Copied.</span></p>
<p>Paste it nowhere else. It is valid for five minutes, for one use.</p>
</div>
<footer>m3cred. This page sends nothing to anybody on its own.</footer>"""


def relay_page(ports: Sequence[int]) -> str:
    """Return the page as HTML; its link leads only to these ports of the browser's computer."""
    script = _SCRIPT.substitute(ports=list(ports), path=CALLBACK_PATH, end=PORT_END)
    return DOCUMENT.substitute(
        head=_HEAD.substitute(style_hash=hash_of(_STYLE), script_hash=hash_of(script)),
        title="Back to your terminal",
        style=_STYLE,
        kind="notice",
        main=_MAIN,
        end=f"<script>{script}</script>\n",
    )
