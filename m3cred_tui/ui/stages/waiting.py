"""Stage 4 while Stripe has not answered: the URL, and every way back."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.style import Style
from textual.widgets import Button, Input, Static

from m3cred_tui.authorize.events import BrowserOpened, Noticed, RedirectReceived, Visited
from m3cred_tui.authorize.steps import MINUTES, TUNNEL_CLOSED, TUNNEL_WORKS, Steps
from m3cred_tui.browser.opening import BrowserDidNotOpen
from m3cred_tui.callback.pasted import LONGEST_PASTE, PasteIncomplete
from m3cred_tui.model.authorization import TIME_LIMIT, Countdown
from m3cred_tui.model.problem import Problem
from m3cred_tui.ui.stages.stage import Stage
from m3cred_tui.ui.terminal.outside import print_alone, send_to_clipboard
from m3cred_tui.ui.widgets.bars import noticing
from m3cred_tui.ui.widgets.controls import Press, show_focus
from m3cred_tui.ui.widgets.forms import Notice, TextInput

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
_BROAD = 88
"""Columns from which the two ways back stand side by side."""
_HINT = (
    "Does the browser show an error in braces, {…}? Stripe reports that to nobody else: go "
    "back, check the keys of this destination, and start again."
)
_OPENED = "A browser was opened. If you do not see it, open the URL."
_SEND_URL, _SEND_TUNNEL = "Send the URL to the clipboard", "Send the command to the clipboard"
_ADDRESS, _BEFORE_ADDRESS = "http", " \"'<("
_APART = 1.0
"""Seconds between two keys of which no terminal types both for one paste."""
_ONLY_HERE = f"Paste it only here, within {MINUTES} minutes of approving:"


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

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "clear_away", "Clear")]

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
        self.refresh_bindings()
        self.post_message(self.Pasted(whole, final=True))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave Esc to the page while there is nothing to clear."""
        del parameters
        return action != "clear_away" or bool(self.value)

    def action_clear_away(self) -> None:
        """Remove what was typed or pasted, before Esc leaves the stage."""
        self.clear_away()

    def clear_away(self) -> None:
        """Leave nothing of it: it has been used, or is of no use."""
        with self.prevent(Input.Changed):
            self.clear()
        self.refresh_bindings()

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
        self.refresh_bindings()
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
        Binding(
            "b", "turn", "Elsewhere", show=False, tooltip="My browser is here, or elsewhere"
        ),
    ]

    def __init__(
        self, ready: UrlReady, paste: Paste, whereabouts: Whereabouts, services: Services
    ) -> None:
        super().__init__()
        self._services = services
        self._paste = paste
        self._ready = ready
        self.url = ready.url
        self._whereabouts = whereabouts
        self._tunnel = whereabouts.tunnel
        self._countdown = Countdown(ready.expires_at, services.now)
        self._shown_left = TIME_LIMIT // timedelta(seconds=1)
        self._visited = False
        self._hinted = False
        self._begun, self._begun_at = "", 0.0
        """What may be the beginning of an address, and when its last key was pressed."""
        self.was_typed = False
        """Whether the answer came as keys, of which the last may still be on its way."""
        self._elsewhere = whereabouts.browser_is_elsewhere
        self._tunnel_first = Steps.of(ready, whereabouts, elsewhere=True).tunnel_first

    def compose(self) -> ComposeResult:
        """Yield the steps; a tunnel that the URL itself needs belongs to the first one."""
        tunnel = Static(id="tunnel")
        yield Static(id="where", classes="step")
        if self._tunnel_first:
            yield tunnel
        yield Static(self._shown_url(), id="url")
        here, there = (
            Press("Open the browser", id=OPEN),
            Press(_SEND_TUNNEL if self._tunnel_first else _SEND_URL, id=SEND),
        )
        # Set now, so that the focus goes to the one that is seen.
        here.display, there.display = not self._elsewhere, self._elsewhere
        yield here
        yield there
        with Horizontal(id="wait", classes="step"):
            yield Static(Content(self._steps.approve), id="happened")
            yield Static(id="time-left")
        yield Static(id="back", classes="step")
        yield Notice(classes="told")
        with Container(id="ways"):
            if not self._tunnel_first:
                yield tunnel
            with Vertical():
                yield Static(id="how-to-paste")
                yield PasteLine()

    def on_mount(self) -> None:
        """Count down once a second, while it can be seen; nothing else moves."""
        self._arrange()
        self._count_down()
        self.set_interval(1, self._count_down)

    def on_resize(self, event: events.Resize) -> None:
        """Put the two ways back side by side where there is room."""
        self.set_class(event.size.width >= _BROAD, "-broad")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        del parameters
        return action != "copy_tunnel" or self._tunnel is not None

    @on(Button.Pressed, f"#{OPEN}")
    @work(exclusive=True, group="browser")
    async def action_open(self) -> None:
        try:
            await self._services.open_browser(self.url)
        except Problem as problem:
            self._complain(problem)
        else:
            self._answer(_OPENED)

    @on(Button.Pressed, f"#{SEND}")
    def _send_first(self) -> None:
        """Send what the first step begins with."""
        if self._tunnel_first:
            self.action_copy_tunnel()
        else:
            self.action_copy_url()

    @work(exclusive=True, group="way")
    async def action_copy_url(self) -> None:
        await self._copy(self.url, "URL")

    @work(exclusive=True, group="way")
    async def action_copy_tunnel(self) -> None:
        if self._tunnel is not None:
            await self._copy(self._tunnel, "Command")

    async def _copy(self, text: str, what: str) -> None:
        self._answer(await send_to_clipboard(self.app, self._services.ways, text, what=what))

    def action_print_url(self) -> None:
        """Show the URL outside the full screen, where a terminal selects it as one line."""
        print_alone(self.app, self.url)

    def action_show_qr(self) -> None:
        self.post_message(Stage.QrWanted(self.url))

    @work(exclusive=True, group="way")
    async def action_write_url(self) -> None:
        try:
            path = await self._services.ways.write(self.url)
        except Problem as problem:
            self._complain(problem)
        else:
            self._answer(f"The URL is in {path} until this authorization ends.")

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
            case Noticed(problem) if self._ready.short_url is None:
                self.query_one(Notice).say(f"! {problem}")  # in place of the tunnel
                show_focus(self)
            case Noticed(problem):
                self._complain(problem)

    def _answer(self, text: str) -> None:
        """Say it for as long as the page waits, where nothing here moves."""
        self.notify(text, timeout=TIME_LIMIT.total_seconds(), markup=False)

    def _complain(self, problem: Problem) -> None:
        self.notify(
            str(problem),
            severity="error",
            timeout=TIME_LIMIT.total_seconds(),
            markup=False,
        )

    def _mention(self, text: str) -> None:
        """Show a message of lower priority than the one already shown."""
        if not any(one.page for one in noticing(self.app).notices_of(self.screen)):
            self._answer(text)

    def action_turn(self) -> None:
        """Take the browser to be on the other computer."""
        self._elsewhere = not self._elsewhere
        self._arrange()
        self._count_down()
        self.query_one(f"#{SEND if self._elsewhere else OPEN}").focus()

    def on_paste(self, event: events.Paste) -> None:
        """Take a paste wherever the focus is."""
        event.stop()
        self.query_one(PasteLine).take(event.text)

    @on(PasteLine.Pasted)
    def _take_paste(self, message: PasteLine.Pasted) -> None:
        line = self.query_one(PasteLine)
        if message.final:
            self.query_ancestor(Stage).expect_enter()
        try:
            self._paste(message.text, final=message.final)
        except Problem as problem:
            is_incomplete = isinstance(problem, PasteIncomplete)
            if not (is_incomplete or message.goes_on):  # else what is there stays
                line.clear_away()
            if not message.goes_on:
                if is_incomplete:
                    self._answer(str(problem))
                else:
                    self._complain(problem)
                line.scroll_visible(animate=False)
        else:
            line.clear_away()
            self.was_typed = not message.final

    def on_key(self, event: events.Key) -> None:
        """Take an address that a terminal without bracketed paste types, and no stray letter.

        Its first letter is held back until the second one follows, which may be a key here.
        """
        is_late = event.time - self._begun_at > _APART
        begun = ("" if is_late else self._begun) + (event.character or "")
        letters = begun.lstrip(_BEFORE_ADDRESS).lower()
        if not (event.is_printable and _ADDRESS.startswith(letters)):
            self._begun = ""
            return
        self._begun, self._begun_at = begun, event.time
        if len(letters) > 1:
            event.stop()
            self._begun = ""
            line = self.query_one(PasteLine)
            line.focus()
            line.insert_text_at_cursor(begun)

    def _shown_url(self) -> Content:
        style = Style(link=self.url) if self._services.ways.is_linked() else Style()
        return Content.styled(self.url, style)

    @property
    def _steps(self) -> Steps:
        return Steps.of(self._ready, self._whereabouts, elsewhere=self._elsewhere)

    def _arrange(self) -> None:
        steps, elsewhere = self._steps, self._elsewhere
        self.set_class(not elsewhere, "-here")
        tunnel = self.query_one("#tunnel", Static)
        tunnel.display = elsewhere and self._tunnel is not None
        tunnel.update(self._about_tunnel())
        self.query_one("#where", Static).update(Content(steps.open))
        self.query_one(f"#{OPEN}").display = not elsewhere
        self.query_one(f"#{SEND}").display = elsewhere
        self.query_one("#back", Static).update(Content(steps.come_back))
        paste = Content(f"{steps.paste} {_ONLY_HERE}")
        self.query_one("#how-to-paste", Static).update(paste)

    def _about_tunnel(self) -> Content:
        return Content.assemble(
            f"Run on your computer ({TUNNEL_WORKS if self._visited else TUNNEL_CLOSED}):\n",
            (self._tunnel or "", "$text"),
            "\nand open ",
            (self._ready.short_url or "", "$text"),
            " or" if self._tunnel_first else "",
        )

    def _count_down(self) -> None:
        if not self.screen.is_active:
            return  # behind a dialog, where each tick would draw the whole screen again
        left = self._countdown.left()
        seconds = round(left.total_seconds())
        if self._elsewhere and left > _SOON:  # over a slow line each change costs a packet
            seconds -= seconds % _COARSE
        self._shown_left = min(seconds, self._shown_left)  # in seconds again, after `b`
        minutes, seconds = divmod(self._shown_left, 60)
        shown = self.query_one("#time-left", Static)
        shown.update(f"{minutes}:{seconds:02} left")
        shown.set_class(left < _SOON, "soon")
        if left < _LONG and not self._hinted:
            self._hinted = True
            self._mention(_HINT)
