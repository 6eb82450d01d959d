"""``m3cred check``: ask Stripe whether credentials can be used."""

import asyncio
import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime

from m3cred_tui.cli.ending import DONE, FAILED, failed, misused
from m3cred_tui.cli.output.cells import cells, padded
from m3cred_tui.cli.output.json import check_json, error_fields, iso, put_json
from m3cred_tui.cli.output.prompts import progress
from m3cred_tui.cli.output.streams import coloured, put
from m3cred_tui.cli.output.tables import COLOURS
from m3cred_tui.cli.selecting import all_selected, how_to_renew, opened
from m3cred_tui.cli.wiring import upkeep_of
from m3cred_tui.listing.columns import Row, expiry_sentence, level_of
from m3cred_tui.model.check import CheckResult, Outcome
from m3cred_tui.model.credential import Credential
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
        rows = _again(rows, here.store)
    all_ok = all(results[row.id].outcome is Outcome.OK for row in rows)
    if chosen.json:
        found = [_json(row, results[row.id]) for row in rows]
        error = None if not_kept is None else error_fields(not_kept)
        put_json({"ok": all_ok, "credentials": found, "notKept": error})
    elif rows:
        not_ok = [row for row in rows if results[row.id].outcome is not Outcome.OK]
        _write(not_ok if chosen.quiet else rows, results, demo=chosen.demo)
    elif not chosen.quiet:
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


def _again(rows: Sequence[Row], store: CredentialStore) -> list[Row]:
    """Return them as they are after the check, which may have renewed tokens."""
    found = store.read_many([row.id for row in rows])
    return [now or before for now, before in zip(found, rows, strict=True)]


def _json(row: Row, result: CheckResult) -> dict[str, object]:
    credential = row if isinstance(row, Credential) else None
    until = credential and credential.expires_at
    return {
        "id": row.id,
        "name": credential and credential.name,
        **check_json(result),
        "expiresAt": until and iso(until),
    }


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


def _write(rows: Sequence[Row], results: Results, *, demo: bool) -> None:
    """Write a line for each, with a warning where it ends before long."""
    if not rows:
        return
    now = datetime.now(UTC)
    names = {row.id: getattr(row, "name", row.id) for row in rows}
    wide = max(map(cells, names.values()))
    labels = max(len(result.label) for result in results.values())
    for row in rows:
        result = results[row.id]
        colour = COLOURS[level_of(row, result)]
        label = coloured(padded(result.label, labels), colour, sys.stdout)
        ends = expiry_sentence("It", row, now) if isinstance(row, Credential) else ""
        told = result.told_with(how_to_renew(row, demo=demo))
        told = f"{told} {ends}".strip()
        head = f"{padded(names[row.id], wide)}  {label}  "
        sys.stdout.write(head if told else head.rstrip())
        put(told, sys.stdout, hanging=4, taken=wide + labels + 4)
