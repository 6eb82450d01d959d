"""With ``--require-https``, live mode redirects to HTTPS only."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from m3cred_tui.demo_stripe.description import Description
from m3cred_tui.demo_stripe.server import background_demo_stripe
from tests.visitors import get

PLAIN, SECURE = "http://127.0.0.1:27182/callback", "https://m3ter.example/callback"
PATHS = ["/oauth/authorize", "/oauth/v2/authorize"]


@pytest.fixture(scope="module")
def strict() -> Iterator[Description]:
    with background_demo_stripe([PLAIN, SECURE], require_https=True) as description:
        yield description


def _open(demo: Description, path: str, client_id: str, **query: str) -> httpx.Response:
    asked = urlencode({"client_id": client_id, "response_type": "code", "state": "s"} | query)
    return get(f"{demo.connect_base}{path}?{asked}")


@pytest.mark.parametrize("path", PATHS)
def test_live_mode_shows_an_error_to_the_browser_and_redirects_to_https_only(
    strict: Description, path: str
) -> None:
    reply = _open(strict, path, strict.live.client_id, redirect_uri=PLAIN)
    assert reply.status_code == 400
    assert reply.headers["content-type"] == "application/json"
    body: dict[str, Any] = reply.json()
    assert (body["error"], body["state"]) == ("invalid_redirect_uri", "s")
    assert PLAIN in body["error_description"]
    assert "HTTPS" in body["error_description"]
    for query in ({"redirect_uri": SECURE}, {}):  # without one, the first that is allowed
        reply = _open(strict, path, strict.live.client_id, **query)
        assert reply.status_code == 200
        assert (
            "form-action 'self' https://m3ter.example;"
            in (reply.headers["content-security-policy"])
        )


@pytest.mark.parametrize("path", PATHS)
def test_test_mode_still_redirects_to_this_machine(strict: Description, path: str) -> None:
    reply = _open(strict, path, strict.test.client_id, redirect_uri=PLAIN)
    assert reply.status_code == 200


def test_an_https_address_that_is_not_registered_is_not_enough(strict: Description) -> None:
    other = "https://m3ter.example/callback/"
    reply = _open(strict, PATHS[0], strict.live.client_id, redirect_uri=other)
    assert (reply.status_code, reply.json()["error"]) == (400, "invalid_redirect_uri")


@pytest.mark.parametrize("query", [{}, {"redirect_uri": ""}, {"redirect_uri": PLAIN}])
def test_without_a_registered_https_address_live_mode_cannot_be_approved(
    query: dict[str, str],
) -> None:
    with background_demo_stripe([PLAIN], require_https=True) as demo:
        reply = _open(demo, PATHS[0], demo.live.client_id, **query)
    assert (reply.status_code, reply.json()["error"]) == (400, "invalid_redirect_uri")
