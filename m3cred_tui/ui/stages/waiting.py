"""Stage 4 while Stripe has not answered: the URL, and every way back."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.style import Style
from textual.widgets import Button, Input, Static

from m3cred_tui.authorize.events import BrowserOpened, Noticed, RedirectReceived, Visited
from m3cred_tui.browser.opening import BrowserDidNotOpen
from m3cred_tui.callback.pasted import LONGEST_PASTE, PasteIncomplete
from m3cred_tui.model.authorization import CODE_LIFETIME, TIME_LIMIT
from m3cred_tui.model.problem import Problem
from m3cred_tui.ui.stages.stage import Stage
from m3cred_tui.ui.terminal.outside import print_alone, send_to_clipboard
from m3cred_tui.ui.widgets.controls import Notice, Press, TextInput, show_focus

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult

    from m3cred_tui.authorize.events import Event, Paste, UrlReady
    from m3cred_tui.browser.ways import Whereabouts
    from m3cred_tui.ui.services import Services


OPEN, SEND = "open", "send"


_SOON = timedelta(minutes=2)
_COARSE = 10  # seconds
_LONG = TIME_LIMIT - _SOON
_HINT = (
    "Does the browser show an error in braces, {…}? Stripe reports that to nobody else: go "
    "back, check the keys of this destination, and start again."
)
_OPENED = "A browser was opened. If you do not see it, open the URL."
_SEND_URL = "Send the URL to the clipboard"
_PASTE_HERE = "Or paste the address that it ends on, and paste it nowhere else:"
_PASTE_ELSEWHERE = (
    "Then paste the address that it ends on, even if no page is shown there "
    f"({CODE_LIFETIME // timedelta(minutes=1)} minutes; nowhere else):"
)
_PASTE_OWN_PAGE = (
    "Then paste the address of your page that it ends on "
    f"({CODE_LIFETIME // timedelta(minutes=1)} minutes; nowhere else). m3cred's relay page has "
    "a link that leads here, too:"
)


class PasteLine(TextInput):
    """Masks what is pasted, and reports it immediately, however many lines it has."""

    @dataclass(repr=False)  # the text holds an authorization code
    class Pasted(Message):
        """Something was pasted; ``final`` where it came as a whole.

        ``goes_on`` says that the next key may be on its way, so that nothing is wrong yet.
        """

        text: str
        _: KW_ONLY
        final: bool
        goes_on: bool = False

    def __init__(self) -> None:
        super().__init__("Paste the address here", id="paste", compact=True)
        self.password = True
        self.select_on_focus = False

    def take(self, text: str) -> None:
        """Take a paste that came while something else had the focus, too."""
        whole = " ".join(f"{self.value} {text}"[:LONGEST_PASTE].splitlines())
        with self.prevent(Input.Changed):
            self.value = whole
        self.cursor_position = len(whole)
        self.post_message(self.Pasted(whole, final=True))

    def clear_away(self) -> None:
        """Leave nothing of it: it has been used, or is of no use."""
        with self.prevent(Input.Changed):
            self.clear()

    def on_paste(self, event: events.Paste) -> None:
        """Take all of its lines, of which Textual's own handler takes the first."""
        event.prevent_default()
        event.stop()
        self.take(event.text)

    @on(Input.Changed)
    @on(Input.Submitted)
    def _typed(self, message: Input.Changed | Input.Submitted) -> None:
        """Take it as it is typed, by a terminal without bracketed paste; Enter ends a line."""
        message.stop()
        if self.value:
            goes_on = isinstance(message, Input.Changed)
            self.post_message(self.Pasted(self.value, final=False, goes_on=goes_on))


class WaitingPanel(Vertical):
    """At Stripe: the URL, the time left, and the ways back, the likeliest first."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "open", "Open", tooltip="Open the URL in a browser"),
        Binding("y", "copy_url", "Copy", tooltip="Send the URL to the clipboard"),
        Binding("t", "copy_tunnel", "Tunnel", tooltip="Send the tunnel's command there"),
        Binding("u", "print_url", "Plain", tooltip="Show the URL unbroken, to be selected"),
        Binding("r", "show_qr", "QR", tooltip="Show the URL as a QR code"),
        Binding("f", "write_url", "File", show=False, tooltip="Write the URL to a file"),
        Binding("b", "turn", "Elsewhere", show=False, tooltip="My browser is (not) here"),
    ]

    def __init__(
        self, ready: UrlReady, paste: Paste, whereabouts: Whereabouts, services: Services
    ) -> None:
        super().__init__()
        self._services = services
        self._paste = paste
        self._ready = ready
        self._url = ready.url
        self._whereabouts = whereabouts
        self._tunnel = whereabouts.tunnel
        self._visited = False
        self._hinted = False
        self.was_typed = False
        """Whether the answer came as keys, of which the last may still be on its way."""
        self._elsewhere = whereabouts.browser_is_elsewhere

    def compose(self) -> ComposeResult:
        with Horizontal(id="wait"):
            yield Static("… Waiting for your approval at Stripe", id="happened")
            yield Static(id="time-left")
        yield Static(id="where")
        yield Static(self._shown_url(), id="url")
        here, there = Press("Open the browser", id=OPEN), Press(_SEND_URL, id=SEND)
        # Set now, so that the focus goes to the one that is seen.
        here.display, there.display = not self._elsewhere, self._elsewhere
        yield here
        yield there
        yield Notice(classes="told")
        yield Static(id="how-to-paste")
        yield PasteLine()
        yield Static(id="tunnel")

    def on_mount(self) -> None:
        """Count down once a second, while it can be seen; nothing else moves."""
        self._arrange()
        self._count_down()
        self.set_interval(1, self._count_down)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        del parameters
        return action != "copy_tunnel" or self._tunnel is not None

    @on(Button.Pressed, f"#{OPEN}")
    @work(exclusive=True, group="browser")
    async def action_open(self) -> None:
        try:
            await self._services.open_browser(self._url)
        except Problem as problem:
            self._notice(str(problem))
        else:
            self._notice(_OPENED)

    @on(Button.Pressed, f"#{SEND}")
    @work(exclusive=True, group="way")
    async def action_copy_url(self) -> None:
        await self._copy(self._url, "URL")

    @work(exclusive=True, group="way")
    async def action_copy_tunnel(self) -> None:
        if self._tunnel is not None:
            await self._copy(self._tunnel, "command")

    async def _copy(self, text: str, what: str) -> None:
        self._notice(await send_to_clipboard(self.app, self._services.ways, text, what=what))

    def action_print_url(self) -> None:
        """Show the URL outside the full screen, where a terminal selects it as one line."""
        print_alone(self.app, self._url)

    def action_show_qr(self) -> None:
        self.post_message(Stage.QrWanted(self._url))

    @work(exclusive=True, group="way")
    async def action_write_url(self) -> None:
        try:
            path = await self._services.ways.write(self._url)
        except Problem as problem:
            self._notice(str(problem))
        else:
            self._notice(f"The URL is in {path} until this authorization ends.")

    def follow(self, event: Event) -> None:
        match event:
            case BrowserOpened():
                self._mention(_OPENED)
            case Visited():
                self._visited = True
                self._arrange()
            case RedirectReceived():
                received = "✓ Approved; asking which account it is"
                self.query_one("#happened", Static).update(received)
            case Noticed(BrowserDidNotOpen()) if self._elsewhere:
                pass  # as is said above the URL
            case Noticed(problem):
                self._notice(str(problem))

    def _notice(self, text: str) -> None:
        self.query_one(Notice).say(text)
        show_focus(self)

    def _mention(self, text: str) -> None:
        """Show a message of lower priority than the one already shown."""
        if not self.query_one(Notice).display:
            self._notice(text)

    def action_turn(self) -> None:
        """Take the browser to be on the other computer."""
        self._elsewhere = not self._elsewhere
        self._arrange()
        self.query_one(f"#{SEND if self._elsewhere else OPEN}").focus()

    def on_paste(self, event: events.Paste) -> None:
        """Take a paste wherever the focus is."""
        event.stop()
        self.query_one(PasteLine).take(event.text)

    @on(PasteLine.Pasted)
    def _take_paste(self, message: PasteLine.Pasted) -> None:
        line = self.query_one(PasteLine)
        try:
            self._paste(message.text, final=message.final)
        except Problem as problem:
            is_incomplete = isinstance(problem, PasteIncomplete)
            if not (is_incomplete or message.goes_on):  # else what is there stays
                line.clear_away()
            if not message.goes_on:
                self._say_of_paste(str(problem) if is_incomplete else f"! {problem}")
        else:
            line.clear_away()
            self.was_typed = not message.final

    def on_key(self, event: events.Key) -> None:
        """Treat typed characters that are no keys here as the start of an address."""
        if event.character and event.is_printable:
            if event.key in self.screen.active_bindings:
                return
            event.stop()
            line = self.query_one(PasteLine)
            line.focus()
            line.insert_text_at_cursor(event.character)

    def _say_of_paste(self, text: str) -> None:
        """Show it in place of the instructions, which leaves room for the rest."""
        told = self.query_one("#how-to-paste", Static)
        told.update(Content(text))
        told.add_class("problem")
        show_focus(self)

    def _shown_url(self) -> Content:
        style = Style(link=self._url) if self._services.ways.is_linked() else Style()
        return Content.styled(self._url, style)

    def _arrange(self) -> None:
        elsewhere, reason = self._elsewhere, self._whereabouts.reason
        why = f" ({reason})" if reason else ""
        where = f"in your own browser{why}" if elsewhere else "in a browser on this computer"
        self.query_one("#where", Static).update(Content(f"Open {where}:"))
        self.query_one(f"#{OPEN}").display = not elsewhere
        self.query_one(f"#{SEND}").display = elsewhere
        how_to_paste = self.query_one("#how-to-paste", Static)
        how_to_paste.update(Content(self._how_to_paste()))
        how_to_paste.remove_class("problem")
        tunnel = self.query_one("#tunnel", Static)
        tunnel.display = elsewhere and self._tunnel is not None
        tunnel.update(self._about_tunnel())

    def _how_to_paste(self) -> str:
        if self._ready.redirect_uri.startswith("https:"):
            return _PASTE_OWN_PAGE
        return _PASTE_ELSEWHERE if self._elsewhere else _PASTE_HERE

    def _about_tunnel(self) -> Content:
        seen = "✓ tunnel works" if self._visited else "tunnel: not seen yet"
        return Content.assemble(
            f"Or run on your computer ({seen}):\n",
            (self._tunnel or "", "$text"),
            "\nand open ",
            (self._ready.short_url or "", "$text"),
        )

    def _count_down(self) -> None:
        if not self.screen.is_active:
            return  # behind a dialog, where each tick would draw the whole screen again
        left = max(self._ready.expires_at - self._services.now(), timedelta())
        seconds = round(left.total_seconds())
        if self._elsewhere and left > _SOON:  # over a slow line each change costs a packet
            seconds -= seconds % _COARSE
        minutes, seconds = divmod(seconds, 60)
        shown = self.query_one("#time-left", Static)
        shown.update(f"{minutes}:{seconds:02} left")
        shown.set_class(left < _SOON, "soon")
        if left < _LONG and not self._hinted:
            self._hinted = True
            self._mention(_HINT)
