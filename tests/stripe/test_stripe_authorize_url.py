from urllib.parse import parse_qs, urlsplit

from m3cred_tui.model.secret import Secret
from m3cred_tui.stripe.httpx_gateway import HttpxGateway
from m3cred_tui.stripe.platform import Platform


def test_the_url_asks_stripe_for_access_by_the_platform() -> None:
    gateway = HttpxGateway(Platform("ca_1&x=y", Secret("sk_x")))
    redirect_uri = "http://127.0.0.1:27182/callback"
    url = gateway.authorize_url(redirect_uri=redirect_uri, state=Secret("s-_1"))
    parts = urlsplit(url)
    assert (parts.scheme, parts.netloc, parts.path) == (
        "https",
        "connect.stripe.com",
        "/oauth/authorize",
    )
    assert parse_qs(parts.query, strict_parsing=True) == {
        "response_type": ["code"],
        "client_id": ["ca_1&x=y"],
        "scope": ["read_write"],
        "redirect_uri": [redirect_uri],
        "state": ["s-_1"],
    }
    assert "sk_x" not in url
