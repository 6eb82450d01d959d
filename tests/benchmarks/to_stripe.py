"""The way from the empty Credentials page to Stripe and back, without a browser."""

from __future__ import annotations

import os
import re
import socket
import time
from contextlib import contextmanager
from html import unescape
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from tests.visitors import visitor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.benchmarks.programs import Programs
    from tests.benchmarks.terminal import Terminal

_BILL = b"\r"  # the only choice is made already
_FIRST_CHOICE = b"\r\r\r"  # open the drop-down, take its first line, go on
TO_STRIPE = b"cBenchmark\r" + _BILL + _FIRST_CHOICE + b"\r"
"""The keys from Credentials to Stripe; each waits for what the one before it has led to."""
_LONGEST_URL = 4096


@contextmanager
def at_stage_4(programs: Programs) -> Iterator[tuple[Terminal, str]]:
    """Give the app as it waits at stage 4, at rest, and the URL it would have opened."""
    pipe = programs.root / "opened"
    browser = programs.root / "browser"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > "{pipe}"\n', "utf-8")
    browser.chmod(0o700)
    pipe.unlink(missing_ok=True)
    os.mkfifo(pipe, 0o600)
    program = programs.demo(browser)
    opened = os.open(pipe, os.O_RDWR)  # both ends, so that the browser never waits
    try:
        with program.start_and_settle() as terminal:
            terminal.send(TO_STRIPE)
            url = os.read(opened, _LONGEST_URL).decode()
            terminal.bursts(1.5)
            yield terminal, url
    finally:
        os.close(opened)


def approved(url: str) -> str:
    """Fill in the demo Stripe's forms; return where Return to m3ter leads."""
    with visitor() as client:
        page = client.get(url)
        for entered in (
            {"email": "ann@example.com", "password": "demo"},
            {"approve": "Approve access"},
        ):
            action, session = _form(page.text)
            page = client.post(urljoin(url, action), data={"session": session, **entered})
            page.raise_for_status()
        link = re.search(r'<a class="return" href="([^"]+)"', page.text)
        if link is None:
            raise ValueError("the demo Stripe shows no Return to m3ter")
        return unescape(link[1])


def _form(page: str) -> tuple[str, str]:
    action = re.search(r'<form method="post" action="([^"]+)"', page)
    session = re.search(r'name="session" value="([^"]+)"', page)
    if action is None or session is None:
        raise ValueError("the demo Stripe shows no form")
    return unescape(action[1]), unescape(session[1])


def redirected(redirect: str) -> tuple[float, socket.socket]:
    """Send Stripe's redirect as a browser would; return when, and the open connection."""
    parts = urlsplit(redirect)
    assert parts.hostname is not None
    connection = socket.create_connection((parts.hostname, parts.port))
    request = f"GET {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n"
    sent = time.perf_counter()
    connection.sendall(request.encode("ascii"))
    return sent, connection
