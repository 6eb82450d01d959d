"""The lines around a page: its title, notices and keys.

A notice covers nothing, as there is a line for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from rich.cells import cell_len
from textual.app import App
from textual.content import Content
from textual.reactive import reactive
from textual.style import Style
from textual.widget import Widget

from m3cred_tui.ui.widgets.controls import show_focus

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual import events
    from textual.notifications import SeverityLevel
    from textual.screen import Screen
    from textual.timer import Timer

    from m3cred_tui.listing.columns import Row

SEPARATOR = " › "


class TitleBar(Widget):
    """One line: the breadcrumb at the left, a note and the DEMO mark at the right."""

    place: reactive[tuple[str, ...]] = reactive(())
    """The breadcrumb below Integrations, as plain text."""
    note: reactive[str] = reactive("")

    def __init__(self, *place: str, demo: bool) -> None:
        super().__init__()
        self.set_reactive(TitleBar.place, place)
        self._demo = demo
        self.team = ""
        """Where a team's store is, which is shown even where the rest does not fit."""

    def render(self) -> Content:
        """Draw both ends on one line; the breadcrumb is cut if they do not fit."""
        right = Content(self.note)
        if self._demo:
            mark = Content.styled(" DEMO ", "bold $text-warning reverse")
            right = Content.assemble(right, "  ", mark) if self.note else mark
        room = max(0, self.content_size.width - cell_len(right.plain) - 1)
        places = ["Integrations", *self.place]
        if self.team:
            places.append(f"team: {self.team}")
            while len(places) > 1 and cell_len(SEPARATOR.join(places)) > room:
                del places[0]
        breadcrumb = SEPARATOR.join(places)
        left = Content(breadcrumb).truncate(room, ellipsis=True, pad=True)
        return Content.assemble(left.stylize("bold"), " ", right)


_KEY = "key"
_WIDE, _NARROW = "  ", " "
_STAY = {"escape", "escape,backspace", "question_mark", "q"}  # Back, Help and Quit

_Shown = tuple[str, str, str]
"""Key, display and description."""


class KeyLine(Widget):
    """One line with the keys that work now; a click on one presses it.

    Textual's own Footer is a widget for each key, rebuilt whenever the focus moves; that cost
    a third of the time to the first whole screen, and of every key after it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._shown: list[_Shown] = []

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._update)

    def _update(self, screen: Screen[object]) -> None:
        if screen.is_active:  # else the keys are those of the dialog on top
            self.show_keys(screen)

    def show_keys(self, screen: Screen[Any]) -> None:
        """Show the keys of the page, or of a dialog on top of it."""
        shown = _keys(screen)
        if shown != self._shown:  # the same line is not drawn again
            self._shown = shown
            self.refresh()

    def render(self) -> Content:
        """Draw the keys at the left, and the command palette's at the right if it fits."""
        width = self.content_size.width
        fitting = _fitting(self._shown, width)
        right = Content.assemble(("^p", "$footer-key-foreground bold"), " palette")
        if _length(fitting, _NARROW) + len(_NARROW) + right.cell_length > width:
            right = right[: len("^p")]
        rooms = width - right.cell_length - len(_WIDE), width  # with the palette, if possible
        gap = next(
            (
                gap
                for room in rooms
                for gap in (_WIDE, _NARROW)
                if _length(fitting, gap) <= room
            ),
            _NARROW,
        )
        keys = Content(gap).join(
            Content.assemble((display, "$footer-key-foreground bold"), f" {does}").stylize(
                Style.from_meta({_KEY: key})
            )
            for key, display, does in fitting
        )
        palette = self.app.COMMAND_PALETTE_BINDING
        room = width - keys.cell_length - right.cell_length
        if room < len(gap):
            return keys
        return Content.assemble(
            keys, " " * room, right.stylize(Style.from_meta({_KEY: palette}))
        )

    def on_click(self, event: events.Click) -> None:
        """Press the key that was clicked."""
        if key := event.style.meta.get(_KEY):
            self.app.simulate_key(key)


def _length(shown: Sequence[_Shown], gap: str) -> int:
    return cell_len(gap.join(f"{display} {does}" for _, display, does in shown))


def _fitting(shown: Sequence[_Shown], width: int) -> Sequence[_Shown]:
    """Drop keys, the last ones first, until the others fit; Help, which lists all, stays."""
    fitting = list(shown)
    for one in reversed([one for one in shown[1:] if one[0] not in _STAY]):
        if _length(fitting, _NARROW) <= width:
            break
        fitting.remove(one)
    return fitting


def _keys(screen: Screen[object]) -> list[_Shown]:
    """Return the keys to show, the first of each action; Enter and likely ones begin."""
    shown: dict[str, _Shown] = {}
    for active in screen.active_bindings.values():
        binding = active.binding
        if binding.show and active.enabled and binding.description:
            display = screen.app.get_key_display(binding)
            shown.setdefault(binding.action, (binding.key, display, binding.description))
    first = ["enter", *getattr(screen, "likely_keys", ())]
    return sorted(
        shown.values(), key=lambda one: first.index(one[0]) if one[0] in first else len(first)
    )


_MOST = 3
"""Notices on one page; others wait until there is room."""
_SECONDS: dict[SeverityLevel, float] = {"information": 10, "warning": 30, "error": 30}
_SIGNS: dict[SeverityLevel, tuple[str, str]] = {
    "information": ("", "$text"),
    "warning": ("! ", "bold $text-warning"),
    "error": ("! ", "bold $text-error"),
}
T = TypeVar("T")


class _Notice:
    def __init__(
        self, drawn: Content, seconds: float, about: Sequence[Row], page: Screen[Any] | None
    ) -> None:
        """Take the rows that it is about, and the page of the key that it answers, if any."""
        self.drawn = drawn
        self.seconds = seconds
        self.about = about
        self.page = page
        self.timer: Timer | None = None


class NoticingApp(App[T], Generic[T]):
    """Shows notices on the :class:`NoticeLine` of the page, where Textual lays them over it.

    An answer to a key is shown on its page, replaces the one before, and never waits. Any
    other notice, which is about credentials, appears on every page. What is about credentials
    goes when one of them is no longer what it was.
    """

    def __init__(self, **options: Any) -> None:
        self._notices: list[_Notice] = []
        super().__init__(**options)

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
        about: Sequence[Row] = (),
        is_answer: bool | None = None,
    ) -> None:
        """Show ``message``, which is plain text, until it was seen for ``timeout`` seconds.

        What is about no row ``is_answer`` to a key.
        """
        del title, markup
        line = self._line
        if line is None:  # the app is ending
            return
        page = line.screen if is_answer or not about else None
        if page is not None:
            self._drop(lambda one: one.page is page)
        seconds = timeout or _SECONDS[severity]
        sign, style = _SIGNS[severity]
        drawn = Content.assemble((sign, style), (message, style))
        self._notices.append(_Notice(drawn, seconds, about, page))
        line.show_notices()

    def forget_notices(self, is_obsolete: Callable[[Row], bool]) -> None:
        """Remove the notices about rows of which one ``is_obsolete``."""
        if not self._notices:
            return
        self._drop(lambda one: any(map(is_obsolete, one.about)))
        if self._line is not None:
            self._line.show_notices()

    def forget_answers(self) -> None:
        """Remove the answers to keys, as the page has something else to say now."""
        if self._line is not None:
            page = self._line.screen
            self._drop(lambda one: one.page is page)
            self._line.show_notices()

    def notices_of(self, page: Screen[Any]) -> Sequence[_Notice]:
        """Return the notices for which this page has room."""
        self._drop(lambda one: one.page is not None and one.page not in self.screen_stack)
        answers = [one for one in self._notices if one.page is page]
        others = [one for one in self._notices if one.page is None]
        shown = answers + others[: _MOST - len(answers)]
        return [one for one in self._notices if one in shown]

    def expire(self, notice: _Notice) -> None:
        """Remove a notice that was seen for long enough."""
        self._drop(lambda one: one is notice)
        if self._line is not None:
            self._line.show_notices()

    def _drop(self, is_obsolete: Callable[[_Notice], bool]) -> None:
        for one in filter(is_obsolete, [*self._notices]):
            self._notices.remove(one)
            if one.timer is not None:
                one.timer.stop()

    @property
    def _line(self) -> NoticeLine | None:
        """The line of the page on top, which may be behind a dialog."""
        lines = (screen.query(NoticeLine) for screen in reversed(self.screen_stack))
        return next((found.first() for found in lines if found), None)


def noticing(app: App[Any]) -> NoticingApp[Any]:
    """Return the app as what it is, which Textual's types do not know."""
    return cast("NoticingApp[Any]", app)


class NoticeLine(Widget):
    """The line above the keys; it is there without a notice, too, and grows with a long one."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: Sequence[_Notice] = ()

    def on_mount(self) -> None:
        """Take what was reported before this page was opened."""
        self.show_notices()

    def show_notices(self) -> None:
        """Draw what there is for this page, and let its time begin, unless a dialog is open."""
        if not self.screen.is_active:
            return
        app = noticing(self.app)
        for one in (shown := app.notices_of(self.screen)):
            if one.timer is None:
                one.timer = self.app.set_timer(one.seconds, lambda one=one: app.expire(one))
            one.timer.resume()
        if [*shown] != [*self._shown]:
            self._shown = shown
            self.refresh(layout=True)
            show_focus(self)

    def hold(self) -> None:
        """Stop the time while something else is on top."""
        for one in self._shown:
            if one.timer is not None:
                one.timer.reset()
                one.timer.pause()

    def render(self) -> Content:
        return Content("\n").join(one.drawn for one in self._shown)

    def on_click(self) -> None:
        """Remove what has been read."""
        for one in self._shown:
            noticing(self.app).expire(one)
