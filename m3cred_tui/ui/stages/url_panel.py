"""The ways that bring a URL to a browser, each on a key."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Button

from m3cred_tui.model.problem import Problem
from m3cred_tui.ui.outside import print_alone, send_to_clipboard
from m3cred_tui.ui.stages.stage import Stage
from m3cred_tui.ui.widgets.notice import Notice

if TYPE_CHECKING:
    from m3cred_tui.ui.services import Services

OPEN, SEND = "open", "send"


class UrlPanel(Vertical):
    """Who inherits shows :attr:`url`, a ``Notice``, and buttons ``#open`` and ``#send``."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "open", "Open", tooltip="Open the URL in a browser"),
        Binding("y", "copy_url", "Copy", tooltip="Send the URL to the clipboard"),
        Binding("t", "copy_tunnel", "Tunnel", tooltip="Send the tunnel's command there"),
        Binding("u", "print_url", "Plain", tooltip="Show the URL unbroken, to be selected"),
        Binding("r", "show_qr", "QR", tooltip="Show the URL as a QR code"),
        Binding("f", "write_url", "File", show=False, tooltip="Write the URL to a file"),
    ]

    def __init__(self, services: Services, url: str, tunnel: str | None) -> None:
        """Take the URL, and the command that lets a browser elsewhere reach us."""
        super().__init__()
        self._services = services
        self.url = url
        self.tunnel = tunnel

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer a tunnel where there is one."""
        del parameters
        return action != "copy_tunnel" or self.tunnel is not None

    def notice(self, text: str) -> None:
        """Show plain text that does not end the wait."""
        self.query_one(Notice).say(text)
        self.call_after_refresh(self._bring_focus_into_view)

    def _bring_focus_into_view(self) -> None:
        if self.screen.focused is not None:
            self.screen.focused.scroll_visible(animate=False)

    @on(Button.Pressed, f"#{OPEN}")
    @work(exclusive=True, group="browser")
    async def action_open(self) -> None:
        """Open the URL in a browser."""
        try:
            await self._services.open_browser(self.url)
        except Problem as problem:
            self.notice(str(problem))
        else:
            self.notice("A browser was opened. If you do not see it, open the URL.")

    @on(Button.Pressed, f"#{SEND}")
    def action_copy_url(self) -> None:
        """Send the URL to the terminal's clipboard."""
        self._copy(self.url, "URL")

    def action_copy_tunnel(self) -> None:
        """Send the tunnel's command to the terminal's clipboard."""
        if self.tunnel is not None:
            self._copy(self.tunnel, "command")

    @work(exclusive=True, group="way")
    async def _copy(self, text: str, what: str) -> None:
        self.notice(await send_to_clipboard(self.app, self._services.ways, text, what=what))

    def action_print_url(self) -> None:
        """Show the URL outside the full screen, where a terminal selects it as one line."""
        print_alone(self.app, self.url)

    def action_show_qr(self) -> None:
        """Ask the page to show the URL as a QR code."""
        self.post_message(Stage.QrWanted(self.url))

    @work(exclusive=True, group="way")
    async def action_write_url(self) -> None:
        """Write the URL to a file of this user alone."""
        try:
            path = await self._services.ways.write(self.url)
        except Problem as problem:
            self.notice(str(problem))
        else:
            self.notice(f"The URL is in {path} until this authorization ends.")
