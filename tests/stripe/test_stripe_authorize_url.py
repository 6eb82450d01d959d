from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from m3cred_tui.model.secret import Secret
from m3cred_tui.stripe.adapters import AppsGateway, ConnectGateway
from m3cred_tui.stripe.gateway import Platform


def test_the_url_requests_access_for_the_platform() -> None:
    gateway = ConnectGateway(Platform("ca_1&x=y", Secret("sk_x")))
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


@pytest.mark.parametrize(
    ("channel", "path"),
    [("", "/oauth/v2/authorize"), ("chnlink_61Q", "/oauth/v2/chnlink_61Q/authorize")],
)
def test_the_url_of_an_app_has_no_scope_and_its_channel_if_it_is_not_published(
    channel: str, path: str
) -> None:
    platform = Platform("ca_1&x=y", Secret("sk_x"), channel=channel)
    gateway = AppsGateway(platform, lambda: datetime.now(UTC))
    redirect_uri = "https://m3ter.example/callback"
    parts = urlsplit(gateway.authorize_url(redirect_uri=redirect_uri, state=Secret("s-_1")))
    assert (parts.scheme, parts.netloc, parts.path) == ("https", "marketplace.stripe.com", path)
    assert parse_qs(parts.query, strict_parsing=True) == {
        "client_id": ["ca_1&x=y"],
        "redirect_uri": [redirect_uri],
        "state": ["s-_1"],
    }
