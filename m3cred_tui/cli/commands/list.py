"""``m3cred list``: the credentials on this machine."""

# ruff: noqa: PLC0415  Of the quick path: what only some of its outputs need takes 2 to 10 ms each.

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Collection, Mapping, Sequence

    from m3cred_tui.listing.columns import Row
    from m3cred_tui.model.check import CheckResult


class Choice(NamedTuple):
    """What is listed, and how; the arguments of the command."""

    words: Sequence[str] = ()
    status: Collection[str] = ()
    destination: str | None = None
    columns: Sequence[str] = ()
    no_header: bool = False
    quiet: bool = False
    json: bool = False
    demo: bool = False

    @property
    def is_filtered(self) -> bool:
        """Whether some credentials may be left out."""
        return bool(self.words or self.status or self.destination)


def run(chosen: Namespace) -> int:
    """Do what was chosen on the command line; return the exit status."""
    return listed(Choice(**{name: getattr(chosen, name) for name in Choice._fields}))


def listed(choice: Choice) -> int:
    """List the credentials that were chosen; return the exit status."""
    from m3cred_tui.cli.ending import DONE
    from m3cred_tui.cli.output.json import put_json
    from m3cred_tui.cli.selecting import opened, tell_aside

    store = opened(demo=choice.demo).store
    try:
        rows = [row for row in store.read_many(store.ids()) if row is not None]
    finally:  # where there is no list, these are what there is to say
        tell_aside(store)
    checks = store.checks.read() if rows else {}
    if choice.words:
        rows = _found(rows, checks, choice.words)
    if choice.status or choice.destination:
        now = datetime.now(UTC)
        rows = [row for row in rows if _is_chosen(row, checks.get(row.id), choice, now)]
    if choice.json:
        from m3cred_tui.cli.output.json import row_json

        put_json({"credentials": [row_json(row, checks.get(row.id)) for row in rows]})
    elif choice.quiet:
        sys.stdout.writelines(f"{row.id}\n" for row in rows)
    elif rows:
        from m3cred_tui.cli.output.tables import BY_NAME, write_list

        columns = [BY_NAME[name] for name in choice.columns]
        write_list(rows, checks, columns, heading=not choice.no_header)
    else:
        what = "such credentials" if choice.is_filtered else "credentials yet"
        sys.stderr.write(f"There are no {what}.\n")
    return DONE


def _is_chosen(row: Row, check: CheckResult | None, choice: Choice, now: datetime) -> bool:
    from m3cred_tui.listing.columns import expiry_word, status_word
    from m3cred_tui.model.credential import Credential

    if choice.destination:
        code = row.destination.code.lower() if isinstance(row, Credential) else None
        if code != choice.destination:
            return False
    # A credential near its end may be one whose last check has failed.
    words = {status_word(row, check, now), expiry_word(row, now)}
    return not choice.status or not words.isdisjoint(choice.status)


def _found(
    rows: Sequence[Row], checks: Mapping[str, CheckResult], words: Sequence[str]
) -> list[Row]:
    from m3cred_tui.listing.search import Rows, matches, searched_in, words_of

    sought = words_of(" ".join(words))
    searched = [searched_in(row, checks.get(row.id)) for row in rows]
    texts = Rows([row.id for row in rows], searched)
    return [rows[at] for found in matches(texts, sought) for at in found]
