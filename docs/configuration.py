"""Writes the tables of docs/configuration.md from the table of the settings.

Run it in the checkout after a change of a setting: ``python -m docs.configuration``.
"""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from m3cred_tui.config.table import NOT_SET, Group, Setting, groups

PAGE = Path(__file__).with_suffix(".md")


def page() -> str:
    """Return the whole page, with the tables of today."""
    text = PAGE.read_text(encoding="utf-8")
    for name, write in {"file": _in_file, "environment": _in_environment}.items():
        begin, end = f"<!-- {name}: by docs/configuration.py -->\n", f"<!-- {name} ends -->\n"
        before, _, rest = text.partition(begin)
        text = "".join([before, begin, *_tables(write), end, rest.partition(end)[2]])
    return text


def _tables(write: Callable[[list[Group]], Iterator[str]]) -> Iterator[str]:
    """Yield the lines of a table for the groups that share their settings."""
    alike: dict[tuple[Setting[object], ...], list[Group]] = {}
    for group in groups():
        alike.setdefault(group.settings, []).append(group)
    for shared in alike.values():
        yield from write(shared)
        yield "\n"


def _in_file(alike: list[Group]) -> Iterator[str]:
    tables = " and ".join(f"`[{group.table}]`" for group in alike)
    yield _row(f"in {tables}", "what", "without it")
    yield _row("---", "---", "---")
    for one in alike[0].settings:
        if one.in_file:
            without = _for_each(alike, partial(_without, one))
            yield _row(f"`{one.name}`", _help(one, alike), without)


def _in_environment(alike: list[Group]) -> Iterator[str]:
    yield _row("variable", "what")
    yield _row("---", "---")
    for one in alike[0].settings:
        if one.in_environment:
            what = f"as `{one.name}` in the file" if one.in_file else _help(one, alike)
            yield _row(f"`{alike[0].variable_of(one)}`", what)


def _help(setting: Setting[object], alike: list[Group]) -> str:
    text = _for_each(alike, lambda group: setting.help_for(group.subject))
    choices = " or ".join(f"`{value}`" for _, value in setting.choices)
    end = f" {choices}." if choices else ""
    return f"**{setting.label}.** {text}{end}"


def _without(setting: Setting[object], group: Group) -> str:
    value = group.value_of(setting)
    if value is not setting:
        return f"one source of the {value.noun} is needed"
    if setting.is_needed(group.subject):
        return "not set up"
    text = setting.unset_text(group.subject)
    return "none" if text == NOT_SET else f"`{text}`"


def _for_each(alike: list[Group], text_of: Callable[[Group], str]) -> str:
    texts = {group.label: text_of(group) for group in alike}
    if len({*texts.values()}) == 1:
        return texts[alike[0].label]
    return " ".join(f"*{label}:* {text}" for label, text in texts.items())


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
