"""Somebody with a browser at the demo Stripe; blocking, so to be run in a thread."""

import html
import re
from typing import NamedTuple

import httpx

from tests.visitors import get, visitor

EMAIL = "ada@acme.example"


class Seen(NamedTuple):
    """The account as the demo Stripe's page shows it, and the last page of the visit."""

    name: str
    id: str
    country: str
    end_page: str


def approve(url: str, email: str = EMAIL) -> Seen:
    """Log in, approve access, and select Return to m3ter."""
    with visitor(timeout=10) as client:
        page = _decide(client, url, email, "approve")
        name = _found(r"Business</th><td><strong>(\w+ \w+)", page)  # without "Ltd"
        account_id = _found(r"Account</th><td><code>([^<]+)<", page)
        country = _found(r"Country</th><td>([A-Z]{2}),", page)
        back = _found(r'<a class="return" href="([^"]+)">Return to m3ter</a>', page)
        end_page = client.get(back, follow_redirects=True)
        return Seen(name, account_id, country, end_page.raise_for_status().text)


def approve_only(url: str, email: str = EMAIL) -> str:
    """Log in and approve access; return the address that Return to m3ter leads to."""
    with visitor(timeout=10) as client:
        page = _decide(client, url, email, "approve")
        return _found(r'<a class="return" href="([^"]+)">Return to m3ter</a>', page)


def refuse(url: str) -> str:
    """Log in and refuse access; return the page that the browser ends on."""
    return get(refuse_only(url), follow_redirects=True).text


def refuse_only(url: str) -> str:
    """Log in and refuse access; return the address that Stripe redirects to."""
    with visitor(timeout=10) as client:
        address: str = _decide(client, url, EMAIL, "refuse").headers["location"]
        return address


def redirect(url: str, **answer: str) -> None:
    """Go back to m3cred with an answer that Stripe never gave; the state is the right one."""
    asked = httpx.URL(url).params
    answer.setdefault("state", asked["state"])
    get(asked["redirect_uri"], params=answer, follow_redirects=True)


def _decide(client: httpx.Client, url: str, email: str, decision: str) -> httpx.Response:
    page = client.get(url).raise_for_status()
    page = _send(client, page, {"email": email, "password": "x"})
    return _send(client, page, {decision: "x"})


def _send(
    client: httpx.Client, page: httpx.Response, entered: dict[str, str]
) -> httpx.Response:
    action = page.url.join(_found(r'<form method="post" action="([^"]+)"', page))
    session = _found(r'name="session" value="([^"]+)"', page)
    return client.post(action, data={"session": session, **entered})


def _found(pattern: str, page: httpx.Response) -> str:
    found = re.search(pattern, page.text)
    assert found, page.text
    return html.unescape(found[1])
