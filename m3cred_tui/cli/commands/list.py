"""``m3cred list``: the credentials on this machine."""

# ruff: noqa: PLC0415  Of the quick path: what only some of its outputs need takes 2 to 10 ms each.

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from m3cred_tui.listing.columns import Row
    from m3cred_tui.store.port import CredentialStore


def run(chosen: Namespace) -> int:
    """Do what was chosen on the command line; return the exit status."""
    return listed(chosen.words, as_json=chosen.json, demo=chosen.demo)


def listed(words: Sequence[str], *, as_json: bool = False, demo: bool = False) -> int:
    """List the credentials in which all these words are found; return the exit status."""
    from m3cred_tui.cli.ending import DONE
    from m3cred_tui.cli.output.json import put_json
    from m3cred_tui.cli.selecting import opened

    store = opened(demo=demo).store
    rows = _found(store, words)
    checks = store.checks.read() if rows else {}
    if as_json:
        from m3cred_tui.cli.output.json import row_json

        put_json({"credentials": [row_json(row, checks.get(row.id)) for row in rows]})
    elif rows:
        from m3cred_tui.cli.output.tables import write_list

        write_list(rows, checks)
    else:
        what = "such credentials" if words else "credentials yet"
        sys.stderr.write(f"There are no {what}.\n")
    return DONE


def _found(store: CredentialStore, words: Sequence[str]) -> list[Row]:
    rows = [row for row in store.read_many(store.ids()) if row is not None]
    if not words:
        return rows
    from m3cred_tui.listing.search import Rows, matches, plain, searched_in

    sought = plain(" ".join(words)).split()
    texts = Rows([row.id for row in rows], [searched_in(row) for row in rows])
    found = {one for some in matches(texts, sought) for one in some}
    return [row for row in rows if row.id in found]
