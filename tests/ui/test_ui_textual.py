"""Textual's and Rich's private names: which ones are used, where, and that they are there."""

import ast
import inspect
import textwrap
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import Compositor
from textual.app import App
from textual.driver import Driver
from textual.geometry import Region
from textual.strip import Strip

import m3cred_tui
from m3cred_tui.ui.services import Services
from tests.ui.conftest import Keep
from tests.ui.user import opened

HOUSE = Path(m3cred_tui.__file__).parent
FILES = sorted((HOUSE / "ui").rglob("*.py"))
ALLOWED = ("ui/app.py", "ui/terminal/")
THEIRS = ("textual", "rich")
OF_NAMED_TUPLES = {"_replace", "_asdict", "_fields"}


class Use(NamedTuple):
    """A private name, and the file that uses it."""

    file: str
    name: str


USES = {
    # Learns of every exception, with its traceback; the rest of the app ends as Textual has it.
    Use("ui/app.py", "_handle_exception"),
    # Leave out two widgets of each page that would never show anything.
    Use("ui/app.py", "_disable_tooltips"),
    Use("ui/app.py", "_disable_notifications"),
    # Sends what draws nothing (the clipboard), and has the whole screen drawn again.
    Use("ui/terminal/driver.py", "_driver"),
    # Renders the lines of a page that have changed, where Textual renders every widget.
    Use("ui/terminal/known_cells.py", "textual._compositor"),
    Use("ui/terminal/known_cells.py", "_compositor"),
    Use("ui/terminal/known_cells.py", "_get_renders"),
    # Reads keys from what a terminal sends, after what is pasted has been made harmless.
    Use("ui/terminal/incoming.py", "textual._xterm_parser"),
    # The number of colours; Textual derives it from TERM and COLORTERM only.
    Use("ui/terminal/abilities.py", "_color_system"),
}


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def is_theirs(module: str) -> bool:
    return module.partition(".")[0] in THEIRS


def uses_in(file: Path) -> Iterator[Use]:
    """Find private modules, private attributes of other objects, and overridden names.

    A name that one of our classes shares with its base by accident overrides it all the same.
    """
    name = str(file.relative_to(HOUSE))
    tree = ast.parse(file.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from (Use(name, one) for one in private_imports(node))
        elif (
            isinstance(node, ast.Attribute)
            and is_private(node.attr)
            and not is_own(node.value)
            and node.attr not in OF_NAMED_TUPLES
        ):
            yield Use(name, node.attr)
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            ours = getattr(import_module(module_of(file)), node.name)
            theirs = {one for base in ours.__mro__ for one in private_names(base)}
            yield from (Use(name, one) for one in names_in(node) & theirs)


def module_of(file: Path) -> str:
    return ".".join((HOUSE.name, *file.relative_to(HOUSE).with_suffix("").parts))


def private_imports(node: ast.Import | ast.ImportFrom) -> list[str]:
    whole = [one.name for one in node.names]
    if isinstance(node, ast.ImportFrom):
        names = [one for one in whole if is_private(one)]
        whole = [node.module or "", *(f"{node.module}.{one}" for one in names)]
    return [one for one in whole if is_theirs(one) and any(map(is_private, one.split(".")))]


def is_own(value: ast.expr) -> bool:
    """Tell whether it is the object itself, whose class says which names are Textual's."""
    if isinstance(value, ast.Call):
        value = value.func
    return isinstance(value, ast.Name) and value.id in {"self", "cls", "super"}


def names_in(of_class: ast.ClassDef) -> set[str]:
    """Return the names that a class defines, sets or gets of itself."""
    names: set[str] = set()
    for node in ast.walk(of_class):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Attribute) and is_own(node.value):
            names.add(node.attr)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
    return names


@cache
def private_names(base: type) -> frozenset[str]:
    """Return the private names of a class of Textual's or Rich's, and those of its objects."""
    if not is_theirs(base.__module__):
        return frozenset()
    tree = ast.parse(textwrap.dedent(inspect.getsource(base)))
    stored = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
    }
    return frozenset(filter(is_private, {*vars(base), *stored}))


def test_private_names_are_used_in_two_places_and_every_one_is_listed() -> None:
    found = {use for file in FILES for use in uses_in(file)}
    assert found == USES
    assert [use for use in USES if not use.file.startswith(ALLOWED)] == []


def test_no_other_room_imports_textual_or_rich() -> None:
    elsewhere = {
        str(file.relative_to(HOUSE))
        for file in set(HOUSE.rglob("*.py")) - set(FILES)
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in [getattr(node, "module", "") or "", *(one.name for one in node.names)]
        if is_theirs(name)
    }
    assert elsewhere == set()


def test_this_release_of_textual_calls_the_handler_of_exceptions() -> None:
    handler = inspect.signature(App[Any]._handle_exception)
    assert [*handler.parameters] == ["self", "error"]


async def test_this_release_of_textual_leaves_out_the_widgets_that_it_is_told_to(
    services: Services,
) -> None:
    flags = {"_disable_tooltips": True, "_disable_notifications": True}
    assert vars(App[None]()).items() >= dict.fromkeys(flags, False).items()
    async with opened(services) as user:
        assert vars(user.app).items() >= flags.items()
        assert not user.app.screen.query("ToastRack, Tooltip")


async def test_this_release_of_textual_keeps_its_driver_in_the_app() -> None:
    app = App[None]()
    assert app._driver is None
    async with app.run_test():
        assert isinstance(app._driver, Driver)


@pytest.mark.parametrize(("first", "count"), [(0, 1), (1, 11), (7, 2), (21, 3)])
async def test_changed_lines_are_rendered_alone_and_look_the_same(
    services: Services, keep: Keep, first: int, count: int
) -> None:
    for number in range(40):  # enough for a scrollbar
        keep(f"Acme {number}")
    async with opened(services) as user:
        await user.focuses("CredentialList")
        compositor = user.app.screen._compositor
        lines, crop = range(first, first + count), Region(3, first, 20, count)
        assert all(len(strips) <= count for _, _, strips in compositor._get_renders(crop))
        part = compositor._render_chops(crop, lines.__contains__)
        compositor.__class__ = Compositor  # Textual's own
        whole = compositor._render_chops(crop, lines.__contains__)
        assert part == whole


def test_this_release_of_textual_reads_keys_from_text() -> None:
    parser = import_module("textual._xterm_parser").XTermParser()
    assert [event.key for event in parser.feed("a\x1b[B")] == ["a", "down"]


@pytest.mark.parametrize("system", [ColorSystem.STANDARD, ColorSystem.TRUECOLOR])
def test_this_release_of_textual_draws_with_as_many_colours_as_it_is_told(
    system: ColorSystem,
) -> None:
    console = Console(color_system="256", force_terminal=True)
    assert console._color_system is ColorSystem.EIGHT_BIT
    console._color_system = system
    style = Style(color="#123456", bold=system is ColorSystem.STANDARD)  # each is kept as drawn
    drawn = Strip([Segment("x", style)]).render(console)
    assert ("38;2;18;52;86" in drawn) == (system is ColorSystem.TRUECOLOR)
