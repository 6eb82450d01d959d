"""Records put into the store's directory by somebody else than the store."""

import os
from pathlib import Path

from m3cred_tui.store.directory.record import Record, parse_record, record_bytes


def rewrite(file: Path, **changed: object) -> None:
    """Change fields of a record, as one who cannot open its sealed part would."""
    record = parse_record(file.stem, file.read_bytes())
    replace(file, record_bytes(Record({**record.header, **changed}, record.sealed)))


def replace(file: Path, data: bytes) -> None:
    """Put other bytes in the place of a record, in one step."""
    new = file.with_suffix(".new")
    new.write_bytes(data)
    new.chmod(0o600)
    os.replace(new, file)  # noqa: PTH105  as a process does that is killed at any moment


def copy(credentials: Path, times: int) -> None:
    """Put copies of the one record beside it, as if made in the milliseconds after it."""
    (file,) = credentials.iterdir()
    record = parse_record(file.stem, file.read_bytes())
    start = int(file.stem.replace("-", "")[:12], 16)
    for number in range(1, times):
        made = f"{start + number:012x}"
        new = f"{made[:8]}-{made[8:]}{file.stem[13:]}"
        header = {**record.header, "id": new, "name": f"Copied {number}"}
        replace(credentials / f"{new}.json", record_bytes(Record(header, record.sealed)))
