"""``m3cred check``: ask Stripe whether credentials can be used."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Mapping, Sequence

    from m3cred_tui.cli.selecting import Row
    from m3cred_tui.model.check import CheckResult
    from m3cred_tui.store.port import CredentialStore
    from m3cred_tui.upkeep.service import Upkeep

    Results = Mapping[str, CheckResult]


def add_arguments(parser: ArgumentParser) -> None:
    """Add which credentials."""
    from m3cred_tui.cli.ending import add_json

    parser.description = (
        "Ask Stripe about each credential, several at once. Status 0 if all of them are ok, "
        "1 if one is not; m3cred list shows the results, too."
    )
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="a name, an ID, or the beginning of an ID",
    )
    parser.add_argument(
        "--all", action="store_true", help="every credential but those that are pending"
    )
    add_json(parser)


def run(chosen: Namespace) -> int:
    """Do what was chosen on the command line; return the exit status."""
    from m3cred_tui.cli.ending import misused, telling
    from m3cred_tui.system.process import close_to_others

    close_to_others()
    if bool(chosen.names) == chosen.all:
        return misused("name the credentials to check, or say --all for every one.")
    return telling(_check)(chosen)


def _check(chosen: Namespace) -> int:
    import asyncio

    from m3cred_tui.cli.ending import DONE, FAILED
    from m3cred_tui.cli.opening import opened, upkeep_of
    from m3cred_tui.cli.output.json import put_json

    here = opened(demo=chosen.demo)
    rows = _rows(chosen, here.store)
    results: Results = {}
    if rows:
        with upkeep_of(chosen, here) as upkeep:
            results = asyncio.run(_results(upkeep, [row.id for row in rows]))
    all_ok = all(results[row.id].outcome == "ok" for row in rows)
    if chosen.json:
        put_json({"ok": all_ok, "credentials": [_fields(row, results[row.id]) for row in rows]})
    elif rows:
        _write(rows, results)
    else:
        sys.stderr.write("There are no credentials to check.\n")
    return DONE if all_ok else FAILED


def _rows(chosen: Namespace, store: CredentialStore) -> list[Row]:
    from m3cred_tui.cli.selecting import all_selected

    if chosen.names:
        return all_selected(store, chosen.names)
    pending = {*store.pending_ids()}
    ids = [one for one in store.ids() if one not in pending]
    return [row for row in store.read_many(ids) if row is not None]


async def _results(upkeep: Upkeep, ids: Sequence[str]) -> Results:
    """Check them, and tell on a terminal how far it is."""
    from contextlib import aclosing

    from m3cred_tui.cli.output.prompts import progress

    results: dict[str, CheckResult] = {}
    wrong = 0
    with progress() as tell:
        tell(f"Checking {len(ids):,} credentials …")
        async with aclosing(upkeep.check(ids)) as checked:
            async for credential_id, result in checked:
                results[credential_id] = result
                wrong += result.outcome != "ok"
                tell(f"Checked {len(results):,} of {len(ids):,}, {wrong:,} not ok …")
    return results


def _fields(row: Row, result: CheckResult) -> dict[str, object]:
    from m3cred_tui.cli.output.json import check_json

    return {"id": row.id, "name": getattr(row, "name", None), **check_json(result)}


def _write(rows: Sequence[Row], results: Results) -> None:
    from m3cred_tui.cli.output.streams import is_coloured
    from m3cred_tui.cli.output.tables import cells, padded

    names = {row.id: getattr(row, "name", row.id) for row in rows}
    wide = max(map(cells, names.values()))
    labels = max(len(result.label) for result in results.values())
    coloured = is_coloured(sys.stdout)
    for row in rows:
        result = results[row.id]
        label = padded(result.label, labels)
        if coloured:
            label = f"\x1b[{32 if result.outcome == 'ok' else 31}m{label}\x1b[0m"
        line = f"{padded(names[row.id], wide)}  {label}  {result.told}"
        sys.stdout.write(f"{line.rstrip()}\n")
