"""The ways from here to a browser."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from m3cred_tui.model.problem import Problem
from m3cred_tui.store.files import (
    FlawError,
    UnconfirmedError,
    check_way,
    create,
    private_folder,
    read_private,
    remove,
    replace,
)
from m3cred_tui.store.problems import plain_reason

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from m3cred_tui.browser.clipboard import Clipping
    from m3cred_tui.browser.terminal import QrCode


_LONGEST_URL = 8192
_BEGINNINGS = (b"https://", b"http://")


class UrlNotWritten(Problem, code="UrlNotWritten"):
    """The URL could not be written to its file."""

    text = "The URL was not written to {path}: {reason}."
    path: Path
    reason: str


def write_url(path: Path, url: str) -> Path:
    """Write the URL and a newline to a file that only this user can read; return its path.

    Replaces only a file with an older URL. Raises
    :class:`UrlNotWritten`, and :class:`~m3cred_tui.store.problems.StoreUnusable` for the
    directory, which is created if it is missing. Waits for the disk.
    """
    data = f"{url}\n".encode()
    with private_folder(path.parent, make=True) as folder:
        check_way(path.parent)
        try:
            with suppress(UnconfirmedError):  # it may be lost in a crash
                if _is_ours(folder, path):
                    replace(folder, path.name, data)
                else:
                    create(folder, path.name, data)
        except FileExistsError:
            raise UrlNotWritten(path, "another m3cred was faster; try again") from None
        except OSError as error:
            raise UrlNotWritten(path, plain_reason(error)) from error
    return path


def remove_url(path: Path) -> None:
    """Remove the file if :func:`write_url` has written it; never raises.

    After its authorization the URL is useless, but it shows what was requested.
    """
    with (
        suppress(OSError, Problem, UnconfirmedError),
        private_folder(path.parent) as folder,
    ):
        if _is_ours(folder, path):
            remove(folder, path.name)


def _is_ours(folder: int, path: Path) -> bool:
    """Return whether an older URL is there; raises :class:`UrlNotWritten` for other files."""
    try:
        data = read_private(folder, path.name, path, most=_LONGEST_URL)
    except FileNotFoundError:
        return False
    except FlawError as flaw:
        raise UrlNotWritten(path, str(flaw)) from flaw
    if not (data.startswith(_BEGINNINGS) and data.find(b"\n") == len(data) - 1):
        raise UrlNotWritten(path, "its content is not from m3cred")
    return True


# ruff: noqa: PLC0415  as the line above says


class Whereabouts(NamedTuple):
    """Where the user is, as far as that is known."""

    browser_is_elsewhere: bool
    """Whether the browser is probably on another computer."""
    reason: str
    """Why, or nothing."""
    tunnel: str | None
    """The command that lets that browser reach us; ``None`` where nothing listens."""
    stripe_is_here: bool = False
    """Whether Stripe's own pages are on this computer, too, as the demo's are."""


class Ways(NamedTuple):
    """The ways from here to a browser; detection only decides which one comes first."""

    environ: Mapping[str, str]
    url_file: Path
    """Where the URL is written on request."""
    demo_ports: Sequence[int] = ()
    """Ports of the demo Stripe, which a browser elsewhere needs, too."""

    async def whereabouts(self, short_url: str | None) -> Whereabouts:
        """Return where the user is, with the tunnel to a short address if one is served.

        Asks tmux which client is attached now, for at most a second.
        """
        from m3cred_tui.browser import surroundings as around

        here = around.surroundings(await around.attached_environ(self.environ))
        reason, command = next(iter(here.reasons), ""), None
        if port := urlsplit(short_url or "").port:
            user, ports = around.login_name(self.environ), (port, *self.demo_ports)
            # Without asking the network for the name, which may take long.
            command = around.tunnel(ports, here, user=user, host_name=socket.gethostname())
        return Whereabouts(here.browser_is_elsewhere, reason, command, bool(self.demo_ports))

    async def clip(self, text: str, *, what: str) -> Clipping:
        """Return what sends ``text`` to the clipboard of the user's terminal."""
        from m3cred_tui.browser.clipboard import send_to_clipboard
        from m3cred_tui.browser.surroundings import attached_environ

        return await send_to_clipboard(text, await attached_environ(self.environ), what=what)

    async def write(self, url: str) -> Path:
        """Write the URL to a file that only this user can read; raises ``Problem``."""
        return await asyncio.to_thread(write_url, self.url_file, url)

    def forget(self) -> None:
        """Remove the file that the URL was written to, if it is there."""
        remove_url(self.url_file)

    def is_linked(self) -> bool:
        """Return whether the terminal takes hyperlinks."""
        from m3cred_tui.browser.terminal import takes_hyperlinks

        return takes_hyperlinks(self.environ)

    async def qr_code(self, url: str) -> QrCode | None:
        """Return the QR code of a URL; ``None`` where the terminal cannot draw it."""
        from m3cred_tui.browser.terminal import draws_blocks, qr_code

        return await asyncio.to_thread(qr_code, url) if draws_blocks(self.environ) else None
