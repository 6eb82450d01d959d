"""The schemas of docs/json.md, and as much of JSON Schema as they use."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[2] / "docs" / "json.md"
_BLOCK = re.compile(r"^```json\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "boolean": bool,
    "null": type(None),
}
_KEYWORDS = {"$ref", "title", "type", "const", "enum", "pattern", "anyOf", "allOf", "items"}
_KEYWORDS |= {"properties", "required", "additionalProperties"}

Schema = dict[str, Any]


def blocks() -> list[Schema]:
    return [json.loads(block) for block in _BLOCK.findall(PAGE.read_text(encoding="utf-8"))]


def schema(title: str) -> Schema:
    """Return the schema of this title."""
    return next(block for block in blocks() if block.get("title") == title)


def flaws(value: object, against: Schema, at: str = "$") -> list[str]:
    """Return in what a value is not as a schema has it."""
    return [*_flaws(value, against, at)]


def _referred_to(schema: Schema) -> list[Schema]:
    if "$ref" not in schema:
        return []
    shared = next(block["$defs"] for block in blocks() if "$defs" in block)
    return [shared[schema["$ref"].removeprefix("#/$defs/")]]


def _flaws(value: Any, against: Schema, at: str) -> Iterator[str]:
    assert against.keys() <= _KEYWORDS, f"not known here: {against.keys() - _KEYWORDS}"
    for one in (*against.get("allOf", ()), *_referred_to(against)):
        yield from _flaws(value, one, at)
    if (several := against.get("anyOf")) and all(flaws(value, one, at) for one in several):
        yield f"{at}: {value!r} is none of {several}"
    wanted = against.get("type")
    if wanted is not None and not _is_a(value, [wanted] if isinstance(wanted, str) else wanted):
        yield f"{at}: {value!r} is not of type {wanted}"
        return
    allowed = against.get("enum", [against["const"]] if "const" in against else [value])
    if value not in allowed:
        yield f"{at}: {value!r} is not among {allowed}"
    if "pattern" in against and not re.search(against["pattern"], value):
        yield f"{at}: {value!r} does not match {against['pattern']}"
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from _flaws(item, against.get("items", {}), f"{at}[{number}]")
    if isinstance(value, dict):
        yield from _flaws_of_fields(value, against, at)


def _flaws_of_fields(value: dict[str, Any], against: Schema, at: str) -> Iterator[str]:
    for name in against.get("required", ()):
        if name not in value:
            yield f"{at}: there is no {name}"
    known, others = against.get("properties", {}), against.get("additionalProperties", True)
    for name, field in value.items():
        if name in known:
            yield from _flaws(field, known[name], f"{at}.{name}")
        elif others is False:
            yield f"{at}: {name} is not in the schema"
        elif others is not True:
            yield from _flaws(field, others, f"{at}.{name}")


def _is_a(value: object, wanted: list[str]) -> bool:
    if isinstance(value, bool):
        return "boolean" in wanted
    return any(isinstance(value, _TYPES[one]) for one in wanted)
