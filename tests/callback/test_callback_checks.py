"""Requests by a browser, a web page or another user of the computer, and the responses."""

import re
import socket
from http import HTTPStatus

import pytest

from m3cred_tui.callback import connections
from m3cred_tui.callback.connections import MOST_HEADERS
from m3cred_tui.callback.pages import (
    APPROVED,
    NOT_EXPECTED,
    REFUSED,
    TURNED_AWAY,
    hash_of,
    plain,
)
from m3cred_tui.callback.reception import parse_status
from m3cred_tui.callback.redirect import AuthorizationCode, Refusal
from m3cred_tui.callback.relay_page import relay_page
from m3cred_tui.callback.server import CallbackServer
from m3cred_tui.model.authorization import TurnedAway
from tests.callback.conftest import EndPage, Get, Poll, Send, path_of


def test_an_approval_is_received_and_leaves_the_address_bar(
    server: CallbackServer, get: Get, approval: str
) -> None:
    response = get(approval)
    assert response.status_code == 303
    assert response.headers["Location"] == server._paths.end
    result = server.result()
    assert isinstance(result, AuthorizationCode)
    assert (result.code.reveal(), result.scope) == ("ac_123", "read_write")


def test_the_end_page_says_what_to_press_in_the_terminal(
    get: Get, end_page: EndPage, approval: str
) -> None:
    get(approval)
    page = end_page().text
    assert "Go back to your terminal" in page
    assert "<strong>Create Credential</strong>" in page


def test_a_refusal_is_received_and_has_its_own_page(
    server: CallbackServer, get: Get, end_page: EndPage, state: str
) -> None:
    assert get(f"/callback?error=access_denied&state={state}").status_code == 303
    assert server.result() == Refusal("access_denied", "")
    assert "not approved" in end_page().text


def test_there_is_no_end_page_before_stripe_answered(end_page: EndPage) -> None:
    assert end_page().status_code == 404


def test_nobody_else_can_request_the_end_page_and_use_it_up(
    server: CallbackServer, get: Get, end_page: EndPage, approval: str
) -> None:
    get(approval)
    server.close_after_end_page()
    for guess in ("/done", "/done/", f"{server._paths.end}x", server._paths.end[:-1]):
        assert get(guess).status_code == 404
    assert end_page().status_code == 200


def test_only_the_first_answer_counts(
    server: CallbackServer, get: Get, poll: Poll, approval: str, state: str
) -> None:
    get(approval)
    first, status = server.result(), poll().text
    for later in (
        approval,
        f"/callback?code=ac_other&state={state}",
        f"/callback?error=access_denied&state={state}",
    ):
        assert get(later).headers["Location"] == server._paths.end
    assert server.result() is first
    assert poll().text == status


@pytest.mark.parametrize(
    "query",
    [
        "code=ac_123&state=forged",
        "code=ac_123",
        "error=access_denied",
        "error=access_denied&state=forged",
        "",
    ],
)
def test_a_forged_redirect_is_counted_and_the_wait_continues(
    server: CallbackServer, get: Get, poll: Poll, approval: str, query: str
) -> None:
    response = get(f"/callback?{query}")
    assert response.status_code == 400
    assert "This address is not expected" in response.text
    assert server.result() is None
    assert parse_status(poll().content).mismatches == 1
    assert get(approval).status_code == 303


@pytest.mark.parametrize(
    "host",
    [
        "evil.example:{port}",
        "127.0.0.1",
        "127.0.0.1:1",
        "localhost",
        "localhost.:{port}",
        "127.0.0.1:{port}.evil.example",
        "user@127.0.0.1:{port}",
        "127.0.0.2:{port}",
        "[::]:{port}",
        "",
    ],
)
@pytest.mark.parametrize("target", ["approval", "status", "end"])
def test_a_name_rebound_to_loopback_is_rejected(
    server: CallbackServer, send: Send, approval: str, host: str, target: str
) -> None:
    path = {"approval": approval, **server._paths._asdict()}[target]
    line = host.format(port=server.port)
    assert send(f"GET {path} HTTP/1.1\r\nHost: {line}\r\n\r\n".encode()).status_code == 403
    assert server.result() is None


def test_a_request_without_host_is_rejected(
    server: CallbackServer, send: Send, approval: str
) -> None:
    assert send(f"GET {approval} HTTP/1.0\r\n\r\n".encode()).status_code == 403
    assert send(f"GET {approval} HTTP/1.1\r\n\r\n".encode()).status_code == 400
    assert server.result() is None


def test_a_request_with_two_hosts_is_rejected(
    server: CallbackServer, send: Send, approval: str
) -> None:
    host = f"Host: 127.0.0.1:{server.port}\r\n"
    assert send(f"GET {approval} HTTP/1.1\r\n{host}{host}\r\n".encode()).status_code == 400
    assert server.result() is None


@pytest.mark.parametrize("host", ["localhost:{port}", "[::1]:{port}", "127.0.0.1:{port}"])
def test_each_name_of_loopback_is_answered(
    server: CallbackServer, send: Send, approval: str, host: str
) -> None:
    line = host.format(port=server.port)
    response = send(f"GET {approval} HTTP/1.1\r\nHost: {line}\r\n\r\n".encode())
    assert response.status_code == 303


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "POST", "PUT", "DELETE", "get", "TRACE"])
def test_nothing_but_get_delivers_a_redirect(
    server: CallbackServer, send: Send, poll: Poll, approval: str, method: str
) -> None:
    response = send(
        f"{method} {approval} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode()
    )
    assert response.status_code == 405
    assert response.headers["Allow"] == "GET"
    assert server.result() is None
    assert parse_status(poll().content).version == 1


@pytest.mark.parametrize(("headers", "status"), [(MOST_HEADERS - 1, 405), (MOST_HEADERS, 431)])
def test_head_is_answered_without_a_body(
    server: CallbackServer, send: Send, approval: str, headers: int, status: int
) -> None:
    head = f"HEAD {approval} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n".encode()
    response = send(head + b"A: b\r\n" * headers + b"\r\n")
    assert (response.status_code, response.content) == (status, b"")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/favicon.ico",
        "/callback/",
        "//callback",
        "/Callback",
        "/c%61llback",
        "/callback;x",
        "/x/../callback",
        "http://127.0.0.1/callback",
        "*",
    ],
)
def test_nothing_but_the_exact_path_delivers_a_redirect(
    server: CallbackServer, get: Get, poll: Poll, approval: str, path: str
) -> None:
    assert get(approval.replace("/callback", path)).status_code == 404
    assert server.result() is None
    assert parse_status(poll().content).version == 1


@pytest.mark.parametrize(
    "line",
    [
        "Sec-Purpose: prefetch",
        "Sec-Purpose: prefetch;prerender",
        "Sec-Purpose: prefetch\r\nSec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: empty",
        "X-Purpose: preview",
        "Purpose: prefetch",
        "X-Moz: Prefetch",
    ],
)
def test_a_prefetch_does_not_use_up_the_redirect(
    server: CallbackServer, get: Get, approval: str, line: str
) -> None:
    assert get(approval, line).status_code == 503
    assert server.result() is None
    assert get(approval).status_code == 303


NAVIGATION = ("Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document")


@pytest.mark.parametrize(
    "lines",
    [
        ("Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image"),
        ("Sec-Fetch-Mode: no-cors",),
        ("Sec-Fetch-Mode: cors", "Sec-Fetch-Dest: empty"),
        ("Sec-Fetch-Mode: same-origin", "Sec-Fetch-Dest: document"),
        ("Sec-Fetch-Mode: nested-navigate",),
        ("Sec-Fetch-Mode: websocket", "Sec-Fetch-Dest: websocket"),
        ("Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"),
        ("Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: frame"),
        ("Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: object"),
        ("Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: embed"),
        ("Sec-Fetch-Dest: iframe",),
        (*NAVIGATION, "Sec-Fetch-Mode: no-cors"),
        ("Sec-Fetch-Mode:", "Sec-Fetch-Dest: document"),
        ("Connection: Upgrade", "Upgrade: websocket"),
        (*NAVIGATION, "Connection: keep-alive, Upgrade", "Upgrade: WebSocket"),
    ],
    ids=" ".join,
)
def test_what_no_person_opens_as_a_page_changes_nothing_and_is_reported(
    server: CallbackServer, get: Get, poll: Poll, approval: str, lines: tuple[str, ...]
) -> None:
    short = path_of(server.short_address_for("https://stripe.example/"))
    for target in (approval, short):
        response = get(target, *lines)
        assert response.status_code == 403
        assert "This address was not opened as a page" in response.text
        assert "paste it into your terminal" in response.text
    assert server.result() is None
    status = parse_status(poll().content)
    assert (status.turned_away, status.visits) == ((TurnedAway.NOT_OPENED,), 0)
    assert get(approval, *NAVIGATION).status_code == 303


@pytest.mark.parametrize("site", ["none", "cross-site", "same-site", "same-origin"])
def test_a_page_that_a_person_opens_is_answered_wherever_it_was_linked(
    server: CallbackServer, get: Get, approval: str, site: str
) -> None:
    lines = (*NAVIGATION, f"Sec-Fetch-Site: {site}", "Upgrade-Insecure-Requests: 1")
    assert get(approval, *lines).headers["Location"] == server._paths.end
    assert get(server._paths.end, *lines).status_code == 200


def test_the_browser_keeps_its_end_page_for_the_page_that_was_opened(
    server: CallbackServer, get: Get, approval: str
) -> None:
    get(approval)
    framed = get(server._paths.end, "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe")
    assert framed.status_code == 403


@pytest.mark.parametrize(
    ("lines", "status", "why", "advice"),
    [
        (
            ["Host: 127.0.0.1:{port}", f"Cookie: {'a' * 40_000}"],
            431,
            TurnedAway.TOO_LARGE,
            "delete the cookies of 127.0.0.1",
        ),
        (
            ["Host: 127.0.0.1:{port}", *["Cookie: a=b"] * MOST_HEADERS],
            431,
            TurnedAway.TOO_LARGE,
            "a private window",
        ),
        (
            ["Host: 127.0.0.1:9000"],
            403,
            TurnedAway.OTHER_HOST,
            "A tunnel must have the same port at both ends",
        ),
    ],
    ids=["cookies", "headers", "port of a tunnel"],
)
def test_a_browser_that_is_turned_away_reads_why_and_the_terminal_hears_of_it_once(
    server: CallbackServer,
    send: Send,
    approval: str,
    lines: list[str],
    status: int,
    why: TurnedAway,
    advice: str,
) -> None:
    head = "\r\n".join([f"GET {approval} HTTP/1.1", *lines, "", ""])
    for _ in range(3):
        response = send(head.format(port=server.port).encode())
        assert (response.status_code, server.result()) == (status, None)
        assert advice in response.text
        assert "paste it into your terminal" in response.text
        assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
    told = server._reception.status
    assert (told.turned_away, told.version) == ((why,), 2)


def test_each_reason_for_turning_a_browser_away_stays_reported(
    get: Get, send: Send, poll: Poll
) -> None:
    for _ in range(2):
        get("/callback", "Sec-Fetch-Mode: cors")
        send(b"GET /callback HTTP/1.1\r\nHost: 127.0.0.1:9000\r\n\r\n")
    status = parse_status(poll().content)
    assert status.turned_away == (TurnedAway.NOT_OPENED, TurnedAway.OTHER_HOST)
    assert status.version == 3


def test_a_wrong_host_elsewhere_than_where_a_person_goes_is_not_reported(
    send: Send, poll: Poll
) -> None:
    response = send(b"GET /favicon.ico HTTP/1.1\r\nHost: evil.example\r\n\r\n")
    assert (response.status_code, response.text) == (403, "403 Forbidden\n")
    assert parse_status(poll().content).version == 1


@pytest.mark.parametrize(
    ("request_head", "status"),
    [
        (b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nCookie: " + b"a" * 200_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 101 + b"\r\n", 431),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
        (b"GET /\x1b[2J HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n", 400),
    ],
)
def test_a_request_that_is_too_big_or_not_http_is_rejected(
    send: Send, get: Get, approval: str, request_head: bytes, status: int
) -> None:
    assert send(request_head).status_code == status
    assert get(approval).status_code == 303


def test_the_cookies_of_other_local_programs_do_no_harm(get: Get, approval: str) -> None:
    assert get(approval, "Cookie: " + "a" * 20_000).status_code == 303


def test_the_server_does_not_wait_for_a_body(get: Get, approval: str) -> None:
    assert get(approval, "Content-Length: 1000000").status_code == 303


def test_a_body_is_read_to_its_end_as_a_reset_would_take_the_answer_away(
    server: CallbackServer, poll: Poll, approval: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "_LINGER_SECONDS", 60)
    head = f"GET {approval} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as visitor:
        visitor.sendall(f"{head}Content-Length: 20002\r\n\r\n".encode() + bytes(20_000))
        assert b"".join(iter(lambda: visitor.recv(4096), b"")).startswith(b"HTTP/1.1 303 ")
        for _ in range(2):  # if it were closed, the first would bring the reset
            poll()
            visitor.sendall(b"x")


def test_every_page_has_the_headers_that_keep_it_private(
    get: Get, end_page: EndPage, approval: str
) -> None:
    mismatch = get("/callback")
    get(approval)
    for page in (mismatch, end_page()):
        assert page.headers["Content-Type"] == "text/html; charset=utf-8"
        assert page.headers["X-Content-Type-Options"] == "nosniff"
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert page.headers["Cache-Control"] == "no-store"
        policy = page.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "frame-ancestors 'none'" in policy
        assert "script" not in page.text


def test_every_page_is_whole_and_its_policy_allows_its_own_style_and_script_alone() -> None:
    pages = [APPROVED, REFUSED, NOT_EXPECTED, *TURNED_AWAY.values()]
    for page in pages:
        headers = dict(page.headers)
        assert headers["Content-Type"] == "text/html; charset=utf-8"
        text = page.body.decode()
        assert_whole(text, headers["Content-Security-Policy"])
        assert "<script" not in text
    assert dict(plain(HTTPStatus.NOT_FOUND).headers)["Content-Type"].startswith("text/plain;")
    relay = relay_page([27182, 4001])
    (policy,) = re.findall(r'Policy" content="([^"]+)"', relay)
    assert_whole(relay, policy)
    (script,) = re.findall(r"<script>(.*)</script>", relay, re.DOTALL)
    assert f"script-src '{hash_of(script)}'" in policy
    assert "[27182, 4001]" in script
    kinds = [re.findall(r'<main class="(\w+)">', page.body.decode()) for page in pages]
    assert kinds == [["approved"], ["refused"], *[["notice"]] * 4]
    assert '<main class="notice">' in relay


def assert_whole(page: str, policy: str) -> None:
    (title,) = re.findall(r"<title>([\w .-]+?)(?: - m3cred)?</title>", page)
    (heading,) = re.findall(r"<h1>(?:<span.*</span> )?(.*)</h1>", page)
    assert heading == title
    (style,) = re.findall(r"<style>(.*)</style>", page, re.DOTALL)
    assert f"style-src '{hash_of(style)}'" in policy
    assert page.startswith("<!doctype html>")
    assert page.endswith("</html>\n")
    assert not re.search(r"None|XX|\$\w", page)


def test_nothing_from_a_request_is_echoed_or_logged(
    server: CallbackServer,
    send: Send,
    get: Get,
    poll: Poll,
    state: str,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(0)
    marked = f"code=MARK&scope=MARK&state={state}"
    responses = [
        get("/callback?state=MARK&code=MARK"),
        get("/MARK?MARK", "Host2: MARK"),
        poll("after=MARK"),
        send(b"MARK MARK\r\n\r\n"),
        get(f"/callback?{marked}"),
        get(f"{server._paths.end}?MARK"),
    ]
    for response in responses:
        assert "MARK" not in f"{response.headers} {response.text}"
    written = capfd.readouterr()
    assert "MARK" not in written.out + written.err + caplog.text
    assert state not in written.out + written.err + caplog.text
