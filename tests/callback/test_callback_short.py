"""The short address, which a person can type and which shows that a tunnel works."""

import html
import socket

import pytest

from m3cred_tui.callback.redirect import AuthorizationCode
from m3cred_tui.callback.server import CallbackServer
from m3cred_tui.model.secret import Secret
from tests.callback.conftest import Get, Poll, Send, path_of

BROWSERS = (
    ["Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"],
    ["User-Agent: Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/15.6 Safari/605"],
)
URL = "https://connect.stripe.com/oauth/authorize?client_id=ca_1&state=secret"


@pytest.fixture
def path(server: CallbackServer) -> str:
    address = server.short_address_for(URL)
    assert address.startswith(f"http://127.0.0.1:{server.port}/go/")
    assert len(address) <= 40  # one line, also at the narrowest
    return address.partition(f":{server.port}")[2]


@pytest.mark.parametrize("browser", BROWSERS, ids=["said", "by name"])
def test_it_leads_to_stripe_and_each_visit_of_a_browser_is_reported(
    get: Get, poll: Poll, path: str, browser: list[str]
) -> None:
    assert poll().json()["visits"] == 0
    for visits in (1, 2):
        response = get(path, *browser)
        assert (response.status_code, response.headers["Location"]) == (303, URL)
        assert response.headers["Referrer-Policy"] == "no-referrer"
        assert response.headers["Cache-Control"] == "no-store"
        assert poll().json()["visits"] == visits


@pytest.mark.parametrize("agent", ["curl/8.5.0", "w3m/0.5.3", "python-httpx/0.28.1"])
def test_a_program_on_the_server_is_led_to_stripe_and_shows_nothing_of_a_tunnel(
    get: Get, poll: Poll, path: str, agent: str
) -> None:
    assert get(path, f"User-Agent: {agent}").headers["Location"] == URL
    assert poll().json()["visits"] == 0


@pytest.mark.parametrize("change", ["", "x", "/", "%00", "\xe9"])
def test_a_guess_learns_nothing_and_is_not_counted_as_a_visit(
    get: Get, poll: Poll, path: str, change: str
) -> None:
    guess = "/go/" + change if not change else path + change
    response = get(guess, *BROWSERS[0])
    assert response.status_code in {400, 404}
    assert "secret" not in response.text
    assert poll().json()["visits"] == 0


def test_there_is_none_before_there_is_an_authorization_request(get: Get) -> None:
    assert get("/go/").status_code == 404


def test_a_prefetch_and_a_head_request_are_not_visits(
    server: CallbackServer, get: Get, poll: Poll, send: Send, path: str
) -> None:
    assert get(path, "Sec-Purpose: prefetch", *BROWSERS[0]).status_code == 503
    head = f"HEAD {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n"
    assert send(head.encode()).status_code == 405
    assert poll().json()["visits"] == 0


def test_a_web_page_that_uses_its_own_host_name_for_us_is_rejected(
    send: Send, path: str
) -> None:
    request = f"GET {path} HTTP/1.1\r\nHost: evil.example\r\n\r\n"
    assert send(request.encode()).status_code == 403


@pytest.mark.parametrize(
    ("answer", "told"),
    [("code=ac_123", "Stripe approved access"), ("error=access_denied", "was not approved")],
)
def test_it_says_what_became_of_its_request_once_stripe_has_answered(
    get: Get, path: str, state: str, answer: str, told: str
) -> None:
    get(f"/callback?{answer}&state={state}")
    response = get(path)
    assert response.status_code == 200
    assert told in response.text
    assert "secret" not in response.text


def test_that_of_an_earlier_request_says_so_and_where_to_go(get: Get, path: str) -> None:
    with CallbackServer(Secret("an-earlier-one"), ports=(0,)) as earlier:
        old = path_of(earlier.short_address_for(URL))
    response = get(old)
    assert response.status_code == 404
    assert "belongs to another authorization request" in response.text
    assert "Open the address that your terminal shows now" in response.text
    assert f"m3cred on {html.escape(socket.gethostname())}" in response.text


def test_it_is_the_same_when_the_request_is_resumed_and_another_for_another_request(
    path: str, state: str
) -> None:
    resumed, other = CallbackServer(Secret(state)), CallbackServer(Secret(f"{state}x"))
    assert resumed._reception.shorten(URL) == path
    assert other._reception.shorten(URL) != path


def test_a_browser_that_comes_after_a_paste_gets_the_end_page_and_changes_nothing(
    server: CallbackServer, get: Get, poll: Poll, approval: str
) -> None:
    pasted = AuthorizationCode(Secret("ac_pasted"), "read_write")
    server.take(pasted)
    assert poll("after=1&wait=5").json()["phase"] == "received"
    assert get(approval).headers["Location"] == server._paths.end
    assert server.result() is pasted
