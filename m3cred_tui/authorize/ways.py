"""What this terminal and this machine offer to bring a URL to a browser.

Each way is imported when it is taken: most authorizations take one of them.
"""

# ruff: noqa: PLC0415  as the line above says
from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from m3cred_tui.authorize.clipboard import Clipping
    from m3cred_tui.authorize.qr import QrCode
    from m3cred_tui.authorize.surroundings import Surroundings
    from m3cred_tui.authorize.tunnel import Tunnel


@dataclass(frozen=True, slots=True)
class Ways:
    """The ways from here to a browser; detection only says which one stands first."""

    environ: Mapping[str, str]
    url_file: Path
    """Where the URL is written when that is asked for."""
    demo_ports: Sequence[int] = ()
    """Ports of the demo Stripe, which a browser elsewhere needs, too."""

    async def here(self) -> Surroundings:
        """Look where we are; asks tmux who is attached now, for a second at the most."""
        from m3cred_tui.authorize.surroundings import attached_environ, surroundings

        return surroundings(await attached_environ(self.environ))

    def tunnel(self, port: int, here: Surroundings) -> Tunnel:
        """Return the command that lets a browser elsewhere reach the callback server."""
        from m3cred_tui.authorize.tunnel import host_name, login_name, tunnel

        ports = (port, *self.demo_ports)
        return tunnel(ports, here, user=login_name(self.environ), host_name=host_name())

    async def clip(self, text: str, *, what: str) -> Clipping:
        """Return what sends ``text`` to the terminal's clipboard from where we are."""
        from m3cred_tui.authorize.clipboard import send_to_clipboard
        from m3cred_tui.authorize.surroundings import attached_environ

        return await send_to_clipboard(text, await attached_environ(self.environ), what=what)

    async def write(self, url: str) -> Path:
        """Write the URL to a file of this user alone; raises ``Problem``."""
        from m3cred_tui.authorize.url_file import write_url

        return await asyncio.to_thread(write_url, self.url_file, url)

    def forget(self) -> None:
        """Remove the file that the URL was written to, if it is there."""
        from m3cred_tui.authorize.url_file import remove_url

        remove_url(self.url_file)

    def is_linked(self) -> bool:
        """Tell whether the terminal makes a hyperlink of what is sent as one."""
        from m3cred_tui.authorize.hyperlinks import takes_hyperlinks

        return takes_hyperlinks(self.environ)

    async def qr_code(self, url: str) -> QrCode | None:
        """Return the QR code of a URL; ``None`` where the terminal cannot draw it."""
        from m3cred_tui.authorize.qr import draws_blocks, qr_code

        return await asyncio.to_thread(qr_code, url) if draws_blocks(self.environ) else None
