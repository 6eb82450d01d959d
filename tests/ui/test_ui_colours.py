"""Whether what is drawn can be read: in every theme, with sixteen colours, and with none."""

from collections.abc import Iterator

import pytest
from rich.style import Style
from textual.color import Color
from textual.theme import BUILTIN_THEMES

from m3cred_tui.model.check import CheckResult, Outcome
from m3cred_tui.model.credential import Status
from m3cred_tui.store.port import CredentialStore
from m3cred_tui.ui.app import M3credApp
from m3cred_tui.ui.services import Services
from m3cred_tui.ui.terminal.abilities import READABLE, Abilities, Colours, contrast
from tests.ui.conftest import Clock, Keep
from tests.ui.user import User, opened, straight_to_stage_4

_OWN = sorted(name for name, theme in BUILTIN_THEMES.items() if theme.ansi)
_OTHERS = sorted({*BUILTIN_THEMES} - {*_OWN})
_OFTEN = ["textual-dark", "textual-light"]
THEMES = [
    *_OFTEN,
    *(pytest.param(one, marks=pytest.mark.long) for one in _OTHERS if one not in _OFTEN),
]


def drawn(user: User) -> Iterator[tuple[str, Style]]:
    """Yield each piece of text on the screen with its style."""
    for strip in user.app.screen._compositor.render_strips():
        for segment in strip:
            text, style, _ = segment
            if style is not None and any(map(str.isalnum, text)):
                yield text.strip(), style


def colours_of(style: Style) -> tuple[Color, Color]:
    assert style.color is not None
    assert style.bgcolor is not None
    front, back = (Color.from_rich_color(one) for one in (style.color, style.bgcolor))
    return (back, front) if style.reverse else (front, back)


def too_pale(user: User) -> list[str]:
    found = {
        f"{text}: {ratio:.1f}"
        for text, style in drawn(user)
        if (ratio := contrast(*colours_of(style))) < READABLE
    }
    return sorted(found)


def style_of(user: User, words: str) -> Style:
    return next(style for text, style in drawn(user) if words in text)


@pytest.fixture
def some_of_each(keep: Keep, store: CredentialStore, clock: Clock) -> None:
    """Keep a credential of each status."""
    keep("Fine", livemode=True)
    keep("Waiting", status=Status.PENDING)
    outcomes = {
        keep("Unreachable").id: Outcome.UNREACHABLE,
        keep("Revoked").id: Outcome.REVOKED,
    }
    store.checks.keep({one: CheckResult(why, clock(), "No.") for one, why in outcomes.items()})


@pytest.mark.usefixtures("some_of_each")
@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.quick(1)
async def test_everything_drawn_can_be_read_in_every_theme(
    services: Services, theme: str
) -> None:
    pale: dict[str, list[str]] = {}
    async with opened(services) as user:
        await user.sees("✗ revoked", "! unreachable")
        user.app.theme = theme
        await user.pilot.pause()
        pale["list"] = too_pale(user)
        await user.press("end", "enter")
        await user.sees("Status ✓ authenticated", "LIVE")
        pale["details"] = too_pale(user)
        await user.press("escape")
        await straight_to_stage_4(user)
        pale["stage 4"] = too_pale(user)
    assert pale == {one: [] for one in pale}


@pytest.mark.usefixtures("some_of_each")
@pytest.mark.parametrize("theme", _OFTEN)
async def test_each_meaning_has_a_colour_of_its_own_and_a_sign(
    services: Services, theme: str
) -> None:
    async with opened(services) as user:
        user.app.theme = theme
        await user.sees("Fine", "… pending", "! unreachable", "✗ revoked")
        await user.pilot.pause()
        await user.press("end")  # the cursor's line has its own colours
        lines = {name: style_of(user, name).color for name in ("Waiting", "Unreachable")}
        lines["Revoked"] = style_of(user, "Revoked").color
        assert len({*map(str, lines.values())}) == len(lines)
        await user.press("enter")
        await user.sees("✓ authenticated")
        ok = style_of(user, "✓ authenticated").color
        assert ok not in lines.values()


_BRIGHT_RED = Color(255, 0, 0)
"""As xterm has it."""
_WITH_A_SIGN = 3.0
"""The least contrast of what says by its form, too, what it means (WCAG 2.2, 1.4.11)."""


@pytest.mark.usefixtures("some_of_each")
async def test_with_sixteen_colours_all_is_in_the_terminals_own_but_what_is_wrong(
    services: Services,
) -> None:
    app = M3credApp(services, Abilities(colours="standard"))
    async with app.run_test(size=(80, 24)) as pilot:
        user = User(app, pilot)
        await user.sees("✗ revoked", "! unreachable")
        coloured = {
            style.color.name: text
            for text, style in drawn(user)
            if style.color and not style.color.is_default
        }
        assert {*coloured} == {"bright_red"} or {*coloured} == {"color(9)"}
        assert all("✗" in text for text in coloured.values())
        assert {str(style.bgcolor and style.bgcolor.name) for _, style in drawn(user)} == {
            "default"
        }
    for own in ("black", "white"):
        assert contrast(_BRIGHT_RED, Color.parse(own)) >= _WITH_A_SIGN


@pytest.mark.parametrize("colours", ["truecolor", "standard", "none"])
async def test_nothing_is_louder_than_live(
    services: Services, keep: Keep, colours: Colours
) -> None:
    """Loud: a block of colour, bold, and the widest; without colours, it is reversed."""
    keep("Real", livemode=True)
    keep("Trial")
    app = M3credApp(services, Abilities(colours=colours))
    async with app.run_test(size=(80, 24)) as pilot:
        user = User(app, pilot)
        seen = {}
        for name, mode in (("Trial", "TEST"), ("Real", "LIVE")):
            await user.sees("Real", "Trial")
            await user.press(*(["end"] if user.rows()[-1] == name else ["home"]), "enter")
            await user.sees(f"Name {name}")
            seen[mode] = style_of(user, mode)
            demo = style_of(user, "DEMO")
            await user.press("escape")
        live, test = seen["LIVE"], seen["TEST"]
    assert (live.bold, bool(live.reverse) or live.bgcolor != test.bgcolor) == (True, True)
    assert not test.bold
    assert not test.reverse
    if colours != "none":
        assert (live.color, live.bgcolor) != (demo.color, demo.bgcolor)
