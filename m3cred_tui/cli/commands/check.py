"""``m3cred check``: ask Stripe whether credentials can be used."""

import asyncio
import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from contextlib import aclosing

from m3cred_tui.cli.ending import DONE, FAILED, failed, misused
from m3cred_tui.cli.output.json import check_json, error_fields, put_json
from m3cred_tui.cli.output.prompts import progress
from m3cred_tui.cli.output.streams import coloured
from m3cred_tui.cli.output.tables import cells, padded
from m3cred_tui.cli.selecting import all_selected, opened
from m3cred_tui.cli.wiring import upkeep_of
from m3cred_tui.listing.columns import Row
from m3cred_tui.model.check import CheckResult
from m3cred_tui.store.port import CredentialStore
from m3cred_tui.upkeep.problems import ResultsNotKept
from m3cred_tui.upkeep.service import Upkeep

Results = Mapping[str, CheckResult]


def run(chosen: Namespace) -> int:
    """Run the command; return its exit status."""
    if bool(chosen.names) == chosen.all:
        return misused("name the credentials to check, or say --all for every one.")
    here = opened(demo=chosen.demo)
    rows = _rows(chosen, here.store)
    results: Results = {}
    not_kept = None
    if rows:
        with upkeep_of(chosen, here) as upkeep:
            results, not_kept = asyncio.run(_results(upkeep, [row.id for row in rows]))
    all_ok = all(results[row.id].outcome == "ok" for row in rows)
    if chosen.json:
        found = [
            {"id": one.id, "name": getattr(one, "name", None), **check_json(results[one.id])}
            for one in rows
        ]
        error = None if not_kept is None else error_fields(not_kept)
        put_json({"ok": all_ok, "credentials": found, "notKept": error})
    elif rows:
        _write(rows, results)
    else:
        sys.stderr.write("There are no credentials to check.\n")
    if not_kept is not None:
        failed(not_kept)
    return DONE if all_ok else FAILED


def _rows(chosen: Namespace, store: CredentialStore) -> list[Row]:
    if chosen.names:
        return all_selected(store, chosen.names)
    pending = {*store.pending_ids()}
    ids = [one for one in store.ids() if one not in pending]
    return [row for row in store.read_many(ids) if row is not None]


async def _results(upkeep: Upkeep, ids: Sequence[str]) -> tuple[Results, ResultsNotKept | None]:
    """Check the credentials, and show the progress on a terminal."""
    results: dict[str, CheckResult] = {}
    wrong = 0
    with progress() as tell:
        tell(f"Checking {len(ids):,} credentials …")
        try:
            async with aclosing(upkeep.check(ids)) as checked:
                async for credential_id, result in checked:
                    results[credential_id] = result
                    wrong += result.outcome != "ok"
                    tell(f"Checked {len(results):,} of {len(ids):,}, {wrong:,} not ok …")
        except ResultsNotKept as not_kept:
            return results, not_kept
    return results, None


def _write(rows: Sequence[Row], results: Results) -> None:
    names = {row.id: getattr(row, "name", row.id) for row in rows}
    wide = max(map(cells, names.values()))
    labels = max(len(result.label) for result in results.values())
    for row in rows:
        result = results[row.id]
        colour = 32 if result.outcome == "ok" else 31
        label = coloured(padded(result.label, labels), colour, sys.stdout)
        line = f"{padded(names[row.id], wide)}  {label}  {result.told}"
        sys.stdout.write(f"{line.rstrip()}\n")
