"""What ``m3cred config`` shows of the settings, for people and for machines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from m3cred_tui.cli.output.json import error_fields
from m3cred_tui.config.key_source import KeySource, described
from m3cred_tui.config.settings import NotSetUp
from m3cred_tui.model.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from m3cred_tui.config.setup import Entry, Setup
    from m3cred_tui.model.credential import Destination
    from m3cred_tui.model.problem import Problem

    Json = dict[str, object]


def setups_text(setups: Iterable[Setup], path: Path) -> str:
    """Return what people read."""
    there = "" if path.exists() else " (not there yet)"
    blocks = [f"{clean(str(path), most=4096)}{there}"]
    blocks += ("\n".join(_block(one)) for one in setups)
    return "\n\n".join(blocks) + "\n"


def setups_fields(setups: Iterable[Setup], path: Path) -> Json:
    """Return what machines read; docs/configuration.md has the schema."""
    return {
        "path": str(path),
        "exists": path.exists(),
        "destinations": [_setup_fields(one) for one in setups],
    }


def checks_text(results: Iterable[tuple[Destination, str | Problem]]) -> str:
    """Return a line for each destination that was tried."""
    return "".join(
        # That one names the destination itself.
        f"{result}\n"
        if isinstance(result, NotSetUp)
        else f"{destination.label}: {f'ok, {result}' if isinstance(result, str) else result}\n"
        for destination, result in results
    )


def checks_fields(results: Iterable[tuple[Destination, str | Problem]]) -> Json:
    """Return the same for machines."""
    tried = [
        {
            "code": destination.code,
            "ok": isinstance(result, str),
            "secretKey": result if isinstance(result, str) else None,
            "error": None if isinstance(result, str) else error_fields(result),
        }
        for destination, result in results
    ]
    return {"destinations": tried}


def _block(setup: Setup) -> Iterator[str]:
    yield f"{setup.group.label}: {setup.state}"
    lines = [*setup.lines()]
    wide = max(len(setting.name) for setting, _, _ in lines)
    widest = max(len(text) for _, text, _ in lines)
    for setting, text, origin in lines:
        yield f"  {setting.name:{wide}}  {text:{widest}}  {origin}".rstrip()
        if problem := setup[setting].problem:
            yield f"  {'':{wide}}  {problem}"


def _setup_fields(setup: Setup) -> Json:
    missing = tuple(one.name for one in setup.missing)
    problem: Problem | None = setup.problem
    if not problem and missing:
        problem = NotSetUp(setup.destination, missing)
    return {
        "code": setup.destination.code,
        "label": setup.group.label,
        "setUp": problem is None,
        "missing": list(missing),
        "error": error_fields(problem) if problem else None,
        "settings": {one.name: _entry_fields(entry) for one, entry in setup.entries.items()},
    }


def _entry_fields(entry: Entry[object]) -> Json:
    fields: Json = {"origin": entry.origin, "place": entry.place}
    value = entry.value
    if isinstance(value, KeySource):
        kind, shown = described(value)
        fields |= {"source": kind, "value": shown}
    else:
        fields["value"] = list(value) if isinstance(value, tuple) else value
    return fields | {"error": error_fields(entry.problem) if entry.problem else None}
