"""Asks the tmux that we run in."""

import asyncio
from collections.abc import Mapping

_SOON = 1.0


async def ask_tmux(
    environ: Mapping[str, str], *command: str, given: bytes = b"", soon: float = _SOON
) -> str | None:
    """Return what tmux answers, or ``None`` where it fails, is missing or takes too long.

    ``TMUX`` may be left over from a tmux that has gone, or lead to one that hangs.
    """
    # A client hands its environment to the server, which keeps it: our keys stay here.
    kept = {name: value for name, value in environ.items() if not name.startswith("M3CRED_")}
    try:
        process = await asyncio.create_subprocess_exec(
            "tmux",
            *command,
            env=kept,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError:
        return None
    try:
        async with asyncio.timeout(soon):
            answer, _ = await process.communicate(given)
    except TimeoutError:
        return None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return None if process.returncode else answer.decode(errors="replace")
