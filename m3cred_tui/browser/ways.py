"""The ways from here to a browser."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from dataclasses import dataclass
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
    """Write the URL and a line's end into a file of this user alone; return its path.

    Replaces a file that an older URL was written to, and nothing else. Raises
    :class:`UrlNotWritten`, and :class:`~m3cred_tui.store.problems.StoreUnusable` for the
    directory, which is made where it is missing. Waits for the disk.
    """
    data = f"{url}\n".encode()
    with private_folder(path.parent, make=True) as folder:
        check_way(path.parent)
        try:
            with suppress(UnconfirmedError):  # nobody misses it after a crash
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
    """Remove the file if it is one that :func:`write_url` has written; never raises.

    Its URL is of no use after its authorization, but it names what was asked for.
    """
    with (
        suppress(OSError, Problem, UnconfirmedError),
        private_folder(path.parent) as folder,
    ):
        if _is_ours(folder, path):
            remove(folder, path.name)


def _is_ours(folder: int, path: Path) -> bool:
    """Tell whether an older URL is there; raises :class:`UrlNotWritten` for anything else."""
    try:
        data = read_private(folder, path.name, path, most=_LONGEST_URL)
    except FileNotFoundError:
        return False
    except FlawError as flaw:
        raise UrlNotWritten(path, str(flaw)) from flaw
    if not (data.startswith(_BEGINNINGS) and data.find(b"\n") == len(data) - 1):
        raise UrlNotWritten(path, "what is in it is not from m3cred")
    return True


# ruff: noqa: PLC0415  as the line above says


class Whereabouts(NamedTuple):
    """Where the user is, as far as it can be told."""

    browser_is_elsewhere: bool
    """Whether the browser is probably on another computer."""
    reason: str
    """Why that is believed, or nothing."""
    tunnel: str | None
    """The command that lets that browser reach us; none where we do not listen."""


@dataclass(frozen=True, slots=True)
class Ways:
    """The ways from here to a browser; detection only says which one stands first."""

    environ: Mapping[str, str]
    url_file: Path
    """Where the URL is written when that is asked for."""
    demo_ports: Sequence[int] = ()
    """Ports of the demo Stripe, which a browser elsewhere needs, too."""

    async def whereabouts(self, short_url: str | None) -> Whereabouts:
        """Look where we are, listening at a short address or not.

        Asks tmux which client is attached now, for at most a second.
        """
        from m3cred_tui.browser import surroundings as around

        here = around.surroundings(await around.attached_environ(self.environ))
        reason, command = next(iter(here.reasons), ""), None
        if port := urlsplit(short_url or "").port:
            user, ports = around.login_name(self.environ), (port, *self.demo_ports)
            # Without asking the network for the name, which may take long.
            command = around.tunnel(ports, here, user=user, host_name=socket.gethostname())
        return Whereabouts(here.browser_is_elsewhere, reason, command)

    async def clip(self, text: str, *, what: str) -> Clipping:
        """Return what sends ``text`` to the terminal's clipboard from where we are."""
        from m3cred_tui.browser.clipboard import send_to_clipboard
        from m3cred_tui.browser.surroundings import attached_environ

        return await send_to_clipboard(text, await attached_environ(self.environ), what=what)

    async def write(self, url: str) -> Path:
        """Write the URL to a file of this user alone; raises ``Problem``."""
        return await asyncio.to_thread(write_url, self.url_file, url)

    def forget(self) -> None:
        """Remove the file that the URL was written to, if it is there."""
        remove_url(self.url_file)

    def is_linked(self) -> bool:
        """Tell whether the terminal makes a hyperlink of what is sent as one."""
        from m3cred_tui.browser.terminal import takes_hyperlinks

        return takes_hyperlinks(self.environ)

    async def qr_code(self, url: str) -> QrCode | None:
        """Return the QR code of a URL; ``None`` where the terminal cannot draw it."""
        from m3cred_tui.browser.terminal import draws_blocks, qr_code

        return await asyncio.to_thread(qr_code, url) if draws_blocks(self.environ) else None
