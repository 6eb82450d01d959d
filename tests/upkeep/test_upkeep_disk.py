"""A disk that is really full, so Stripe is not asked; and one that fills up meanwhile."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.store.test_store_disk import in_private_mounts

_ROOT = Path(__file__).parents[2]
# The mount is gone with the process, however it ends.
_PROGRAM = """
import asyncio, subprocess, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from m3cred_tui.model.problem import Problem
from tests.upkeep.conftest import world_in

root = Path(sys.argv[2])
data = root / "data"
data.mkdir(mode=0o700)
subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=700,size=400k", "none", data], check=True)
filler = data / "filler"

def fill():
    with filler.open("ab", buffering=0) as file:
        try:
            while True:
                file.write(bytes(512))
        except OSError:
            pass

def used(one):
    try:
        return asyncio.run(world.upkeep.access(one)).key.reveal() == world.access_token(one)
    except Problem as problem:
        return f"{type(problem).__name__}: {problem}".replace(str(data), "DATA")

def left():
    return [path.suffix for path in (data / "refreshing").iterdir()]

def refreshes():
    return len(world.demo._refresh_tokens) - 1

with world_in(root) as world:
    one = world.connect()
"""


def said(program: str, root: Path) -> list[str]:
    indented = "".join(f"    {line}\n" for line in program.strip().splitlines())
    python = [sys.executable, "-I", "-B", "-c", _PROGRAM + indented, str(_ROOT), str(root)]
    command = [*in_private_mounts(), *python]
    child = subprocess.run(command, capture_output=True, text=True, check=False)
    assert child.returncode == 0, child.stderr
    return child.stdout.splitlines()


FULL = """
world.clock.go_on(hours=2)
fill()
print(used(one), refreshes())
print(asyncio.run(world.upkeep.disconnect(one)).told.replace(str(data), "DATA"))
print(len(world.demo.connections()), world.store.disconnecting.ids())
filler.unlink()
print(used(one), refreshes())
"""


def test_on_a_full_disk_stripe_is_not_asked_and_one_sentence_says_why(tmp_path: Path) -> None:
    assert said(FULL, tmp_path) == [
        "StoreUnusable: DATA/refreshing cannot be used: the disk is full. 0",
        "DATA/disconnecting cannot be used: the disk is full. "
        "Stripe was not asked, and the credential was not deleted.",
        "1 []",
        "True 1",
    ]


FILLS_UP = """
roll = world.demo.roll

def roll_and_fill(*given, **named):
    fill()
    return roll(*given, **named)

world.demo.roll = roll_and_fill
for _ in range(3):
    world.clock.go_on(hours=2)
    filler.unlink(missing_ok=True)
    print(used(one), refreshes(), *left())
print([path.name for path in data.rglob("*.tmp")])
"""


def test_a_disk_that_fills_up_while_stripe_is_asked_has_room_for_the_answer(
    tmp_path: Path,
) -> None:
    told = said(FILLS_UP, tmp_path)
    assert told == [f"True {number} .lock" for number in (1, 2, 3)] + ["[]"]
