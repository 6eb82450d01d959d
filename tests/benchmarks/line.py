"""How many bytes go to a user at the other end of an SSH connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.benchmarks.table import Line
from tests.benchmarks.to_stripe import TO_STRIPE, approved

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.benchmarks.programs import Programs
    from tests.benchmarks.terminal import Terminal

_TO_FILE = b"f"
_PASTE = b"\x1b[200~%s\x1b[201~"
_QUIET = 0.5
_TICK = 100
"""Bytes that one update of the time left takes at most."""
_MINUTE = 60


def line(programs: Programs, seconds: float) -> Iterator[Line]:
    """Go all the way to the new row once, and wait at Stripe meanwhile."""
    with programs.ten_rows().start_and_settle() as terminal:
        page = terminal.received
    with programs.demo_over_ssh().start_and_settle() as terminal:
        yield _in_pages("bytes to the first page", terminal.received, page)
        terminal.send(TO_STRIPE)
        terminal.until("2 Approve access for m3ter there")
        _rest(terminal)
        before = terminal.received
        yield _in_pages("bytes from the start to the wait for Stripe", before, page)
        waiting = sum(burst.size for burst in terminal.bursts(seconds))
        yield Line("bytes a minute while waiting", f"{waiting * _MINUTE / seconds:,.0f}")
        url = _url(programs, terminal)
        waited = terminal.received - before
        _come_back(terminal, approved(url))
        yield _in_pages("bytes from the start to the new row", terminal.received - waited, page)


def _url(programs: Programs, terminal: Terminal) -> str:
    terminal.send(_TO_FILE)
    terminal.until("The URL is in")
    _rest(terminal)
    (file,) = programs.root.glob("home-demo/state/**/url")
    return file.read_text("utf-8").strip()


def _come_back(terminal: Terminal, address: str) -> None:
    terminal.send(_PASTE % address.encode())
    terminal.until("Create Credential")
    terminal.until("Select")  # in the line of keys, once it takes an Enter
    _rest(terminal)
    terminal.send(b"\r")
    terminal.until("authenticated")
    _rest(terminal)


def _rest(terminal: Terminal) -> None:
    """Read until nothing but the time left changes."""
    while (burst := terminal.burst(_QUIET)) and burst.size > _TICK:
        pass


def _in_pages(what: str, size: int, page: int) -> Line:
    yardstick = f"DataTable of ten rows, first page {page:,}"
    return Line(what, f"{size:,}", yardstick, f"{size / page:.2f}")
