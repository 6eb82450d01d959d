"""``m3cred resume``: resume a pending credential."""

from argparse import Namespace
from pathlib import Path

from m3cred_tui.cli.commands.create import wrong_usage
from m3cred_tui.cli.creation.session import in_session, resume, resume_sealed
from m3cred_tui.cli.ending import misused
from m3cred_tui.store.problems import NotSealed, plain_reason

_MOST_BYTES = 65_536  # of a record of the store


def run(chosen: Namespace) -> int:
    """Run the command; return its exit status."""
    if status := wrong_usage(chosen, chosen.pending):
        return status
    if chosen.sealed is None:
        return in_session(chosen, lambda session: resume(session, chosen.pending, chosen.name))
    if chosen.pending is not None:
        return misused("--sealed does not go with a name: the file says which one it is.")
    text = _read(Path(chosen.sealed))
    return in_session(chosen, lambda session: resume_sealed(session, text, chosen.name))


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise NotSealed(f"{path}: {plain_reason(error)}") from None
