"""The short address, which a person can type and which shows that a tunnel works."""

import pytest

from m3cred_tui.callback.redirect import AuthorizationCode
from m3cred_tui.callback.server import CallbackServer
from m3cred_tui.model.secret import Secret
from tests.callback.conftest import Get, Poll, Send

URL = "https://connect.stripe.com/oauth/authorize?client_id=ca_1&state=secret"


@pytest.fixture
def path(server: CallbackServer) -> str:
    address = server.short_address_for(URL)
    assert address.startswith(f"http://127.0.0.1:{server.port}/go/")
    assert len(address) <= 40  # one line, also at the narrowest
    return address.partition(f":{server.port}")[2]


def test_it_leads_to_stripe_and_each_visit_is_reported(get: Get, poll: Poll, path: str) -> None:
    assert poll().json()["visits"] == 0
    for visits in (1, 2):
        response = get(path)
        assert (response.status_code, response.headers["Location"]) == (303, URL)
        assert response.headers["Referrer-Policy"] == "no-referrer"
        assert response.headers["Cache-Control"] == "no-store"
        assert poll().json()["visits"] == visits


@pytest.mark.parametrize("change", ["", "x", "/", "%00", "\xe9"])
def test_a_guess_learns_nothing_and_is_not_counted_as_a_visit(
    get: Get, poll: Poll, path: str, change: str
) -> None:
    guess = "/go/" + change if not change else path + change
    assert get(guess).status_code in {400, 404}
    assert "secret" not in get(guess).text
    assert poll().json()["visits"] == 0


def test_there_is_none_before_there_is_an_authorization_request(get: Get) -> None:
    assert get("/go/").status_code == 404


def test_a_prefetch_and_a_head_request_are_not_visits(
    server: CallbackServer, get: Get, poll: Poll, send: Send, path: str
) -> None:
    assert get(path, "Sec-Purpose: prefetch").status_code == 503
    head = f"HEAD {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n"
    assert send(head.encode()).status_code == 405
    assert poll().json()["visits"] == 0


def test_a_web_page_that_uses_its_own_host_name_for_us_is_rejected(
    send: Send, path: str
) -> None:
    request = f"GET {path} HTTP/1.1\r\nHost: evil.example\r\n\r\n"
    assert send(request.encode()).status_code == 403


def test_it_leads_nowhere_once_stripe_has_answered(get: Get, path: str, approval: str) -> None:
    get(approval)
    assert get(path).status_code == 404


def test_each_authorization_request_has_its_own_short_address(server: CallbackServer) -> None:
    assert server.short_address_for(URL) != server.short_address_for(URL)


def test_a_browser_that_comes_after_a_paste_gets_the_end_page_and_changes_nothing(
    server: CallbackServer, get: Get, poll: Poll, approval: str
) -> None:
    pasted = AuthorizationCode(Secret("ac_pasted"), "read_write")
    server.take(pasted)
    assert poll("after=1&wait=5").json()["phase"] == "received"
    assert get(approval).headers["Location"] == server._paths.end
    assert server.result() is pasted
