"""What ``m3cred config`` shows of the settings, for people and for machines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from m3cred_tui.cli.output.json import error_fields
from m3cred_tui.config.settings import NotSetUp
from m3cred_tui.config.setup import (
    KINDS,
    NOT_SET,
    Entry,
    Origin,
    Setup,
    source_text,
    value_text,
)
from m3cred_tui.model.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from m3cred_tui.config.locations import Locations
    from m3cred_tui.model.credential import Destination
    from m3cred_tui.model.problem import Problem

    Json = dict[str, object]


def setups_text(setups: Iterable[Setup], places: Locations) -> str:
    """Return what people read."""
    there = "" if places.settings.exists() else " (not there yet)"
    blocks = [f"{clean(str(places.settings), most=4096)}{there}"]
    blocks += ("\n".join(_block(one)) for one in setups)
    return "\n\n".join(blocks) + "\n"


def setups_fields(setups: Iterable[Setup], places: Locations) -> Json:
    """Return what machines read; docs/configuration.md has the schema."""
    return {
        "path": str(places.settings),
        "exists": places.settings.exists(),
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
    yield f"{setup.destination.label}: {_state(setup)}"
    rows = [(name, entry) for name, entry in setup.entries() if _is_of_interest(name, entry)]
    wide = max(len(name) for name, _ in rows)
    texts = [value_text(setup, name) for name, _ in rows]
    widest = max(map(len, texts))
    for (name, entry), text in zip(rows, texts, strict=True):
        origin = "" if text == NOT_SET else _origin(entry)
        yield f"  {name:{wide}}  {text:{widest}}  {origin}".rstrip()
        if entry.problem:
            yield f"  {'':{wide}}  {entry.problem}"


def _state(setup: Setup) -> str:
    if setup.problem:
        return "not usable"
    if setup.missing:
        return "not set up"
    return "set up"


def _is_of_interest(name: str, entry: Entry[object]) -> bool:
    is_seldom = name.endswith("_base") or name == "channel"
    return not is_seldom or entry.origin is not Origin.DEFAULT


def _origin(entry: Entry[object]) -> str:
    match entry.origin:
        case Origin.FILE:
            return "file"
        case Origin.ENVIRONMENT:
            return entry.place
    return "default"


def _setup_fields(setup: Setup) -> Json:
    problem: Problem | None = setup.problem
    if not problem and setup.missing:
        problem = NotSetUp(setup.destination, setup.missing)
    return {
        "code": setup.destination.code,
        "label": setup.destination.label,
        "setUp": problem is None,
        "missing": list(setup.missing),
        "error": error_fields(problem) if problem else None,
        "settings": {name: _entry_fields(entry) for name, entry in setup.entries()},
    }


def _entry_fields(entry: Entry[object]) -> Json:
    fields: Json = {"origin": entry.origin, "place": entry.place}
    value = entry.value
    if kind := KINDS.get(type(value)):
        fields |= {"source": kind, "value": source_text(value)}
    else:
        fields["value"] = list(value) if isinstance(value, tuple) else value
    return fields | {"error": error_fields(entry.problem) if entry.problem else None}
