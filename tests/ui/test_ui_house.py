"""What the app's files may know of each other."""

import ast
from pathlib import Path

import pytest

import m3cred_tui.ui

UI = Path(m3cred_tui.ui.__file__).parent
FILES = sorted(UI.rglob("*.py"))


def imported(file: Path) -> set[str]:
    """Return the modules that a file imports anywhere, in functions too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
            found |= {f"{node.module}.{one.name}" for one in node.names}
        elif isinstance(node, ast.Import):
            found |= {one.name for one in node.names}
    return found


def test_the_app_itself_imports_screens_but_neither_stages_nor_rooms_below() -> None:
    known = {name for name in imported(UI / "app.py") if name.startswith("m3cred_tui.")}
    assert known
    allowed = (
        "m3cred_tui.VERSION",
        "m3cred_tui.ui.screens.",
        "m3cred_tui.ui.services",
        "m3cred_tui.ui.terminal.",
        "m3cred_tui.ui.widgets.bars",  # its base, which shows notices
        "m3cred_tui.system.signals",
    )
    assert [name for name in known if not name.startswith(allowed)] == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(UI)))
def test_no_file_of_the_app_opens_or_names_a_secret(file: Path) -> None:
    names = {
        getattr(node, "attr", None) or getattr(node, "id", None)
        for node in ast.walk(ast.parse(file.read_text()))
    }
    assert {"reveal", "Secret", "access_token", "refresh_token", "secret_key"} & names == set()
    assert "m3cred_tui.model.secret" not in imported(file)


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(UI)))
def test_every_notification_is_plain_text(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "notify":
            markup = [one.value for one in node.keywords if one.arg == "markup"]
            assert [getattr(value, "value", None) for value in markup] == [False]


def test_widgets_and_stages_are_below_screens_and_import_none_of_them() -> None:
    for room in ("widgets", "stages"):
        for file in (UI / room).glob("*.py"):
            above = [
                name for name in imported(file) if name.startswith("m3cred_tui.ui.screens")
            ]
            assert above == [], file
