"""``m3cred store``: where credentials are kept, for whom, and moving them elsewhere."""

from __future__ import annotations

import os
import sys
from collections import Counter
from typing import TYPE_CHECKING

from m3cred_tui.cli.ending import DONE, FAILED, misused
from m3cred_tui.cli.log import logging_to
from m3cred_tui.cli.output.json import put_json
from m3cred_tui.cli.output.prompts import progress
from m3cred_tui.cli.output.streams import complain, put
from m3cred_tui.cli.selecting import opened, title_of
from m3cred_tui.cli.team import directory_store, store_at, store_setup, team_access
from m3cred_tui.config.table import ENGINE
from m3cred_tui.model.credential import Credential
from m3cred_tui.model.text import clean_path
from m3cred_tui.store.moving import Outcome, move
from m3cred_tui.store.openbao.policy import policy

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from m3cred_tui.cli.selecting import Opened
    from m3cred_tui.store.moving import Moved
    from m3cred_tui.store.openbao.access import Access


def run(chosen: Namespace) -> int:
    """Run the command; return its exit status."""
    if chosen.demo and chosen.verb:
        return misused("the demo keeps its credentials on this machine; leave out --demo.")
    here = opened(demo=chosen.demo)
    if chosen.verb == "policy":
        sys.stdout.write(policy(_access(here).place, chosen.role))
        return DONE
    return _move(here, chosen) if chosen.verb == "move" else _show(here, chosen)


def _access(here: Opened) -> Access:
    setup = store_setup(here.places, os.environ)
    if setup.problem:
        raise setup.problem
    return team_access(setup, os.environ)


def _show(here: Opened, chosen: Namespace) -> int:
    directory = here.places.data / "credentials"
    reached = _access(here) if here.store.team else None
    if chosen.json:
        team = (
            {name: value.text or None for name, value in reached.origins.items()}
            if reached
            else {}
        )
        put_json(
            {
                "engine": "openbao" if reached else "directory",
                "directory": None if reached else str(directory),
                "address": team.get("address"),
                "mount": team.get("mount"),
                "path": team.get("path"),
                "namespace": team.get("namespace"),
            }
        )
    elif reached is None:
        sys.stdout.write(f"This machine: {clean_path(directory)}\n")
    else:
        sys.stdout.write(f"team: {here.store.team}\n")
        for name, value in reached.origins.items():
            if value.text:
                put(f"  {name:12}  {value.text}  ({value.origin})", sys.stdout, hanging=4)
    return DONE


def _move(here: Opened, chosen: Namespace) -> int:
    if chosen.to is None:
        return misused("say where to: m3cred store move --to openbao or --to directory.")
    here.unlock(chosen.passphrase_fd)
    local = directory_store(here.places, here.identity)
    team = store_at(_access(here), here.places, here.identity)
    source, target = (local, team) if chosen.to == "openbao" else (team, local)
    results: list[Moved] = []
    with progress() as tell, logging_to(here.places.log):
        for result in move(source, target, dry=chosen.dry_run):
            results.append(result)
            tell(f"{len(results):,} credentials …")
    is_done = all(one.is_done or one.outcome is Outcome.PENDING for one in results)
    if chosen.json:
        put_json(
            {
                "to": chosen.to,
                "dryRun": chosen.dry_run,
                "ok": is_done,
                "credentials": [_fields(one) for one in results],
            }
        )
    else:
        _tell(results, chosen, engine=store_setup(here.places, os.environ)[ENGINE].value)
    return DONE if is_done else FAILED


def _fields(result: Moved) -> dict[str, object]:
    row = result.row
    return {
        "id": row.id,
        "name": row.name if isinstance(row, Credential) else None,
        "outcome": result.outcome.value,
        "told": result.told,
    }


def _tell(results: Sequence[Moved], chosen: Namespace, *, engine: str | None) -> None:
    for one in results:
        if one.told:
            complain(f"{title_of(one.row)}: {one.told}")
    counted = Counter(one.outcome for one in results)
    done = counted[Outcome.MOVED] + counted[Outcome.WAS_THERE]
    would = "would be moved" if chosen.dry_run else "moved"
    left = len(results) - done
    stay = f"; {left:,} stay where they are" if left else ""
    done_of_all = f"{done:,} of {len(results):,} credentials"
    put(f"{done_of_all} {would} to {chosen.to}{stay}.", sys.stdout)
    put("Secret keys of the platform stay on this machine; see m3cred config.", sys.stdout)
    if engine != chosen.to and not chosen.dry_run:
        put(f"To use them there: m3cred config set store.engine {chosen.to}", sys.stdout)
