"""Looking for secrets where none may be.

The demo Stripe's codes, tokens and keys say that they are its own; what they have in common is
looked for, and each known one in the forms that it may be wrapped in, too.
"""

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

_SHAPES = re.compile(
    rb"(?:[sr]k_(?:test|live)_(?:acct)?|rt_|ac_)demo[0-9a-f]+|AGE-SECRET-KEY-1\w+"
    rb"|\bs\.[A-Za-z0-9]{24,}"  # of OpenBao
)
_CLIPBOARD = re.compile(rb"\x1b\]52;[^;]*;([A-Za-z0-9+/=]*)")


def sightings(channels: Mapping[str, bytes], known: Iterable[str]) -> dict[str, set[bytes]]:
    """Return the channels in which a secret was seen, with what was seen."""
    forms = {form for secret in known for form in _forms(secret)}
    seen = {name: _seen(data, forms) for name, data in channels.items()}
    return {name: found for name, found in seen.items() if found}


def clipboard(written: bytes) -> bytes:
    """Return all that a program has sent to the terminal's clipboard."""
    return b"\n".join(base64.b64decode(sent) for sent in _CLIPBOARD.findall(written))


def files_below(root: Path, *, but: Path) -> dict[str, bytes]:
    """Return the name and content of every file, except one that is there to hold a secret."""
    files = (path for path in root.rglob("*") if path.is_file() and path != but)
    return {str(path.relative_to(root)): bytes(path) + path.read_bytes() for path in files}


def process_of(pid: int, *, has_secrets: bool = False) -> bytes:
    """Return what the system shows us of a process and those it started.

    m3cred's own environment is closed to everybody but a tracer, so it shows nothing there; it
    is left out for root, too, if we gave it secrets.
    """
    shown = b""
    for process in (pid, *_children(pid)):
        place = Path("/proc", str(process))
        shown += (place / "cmdline").read_bytes()
        if process != pid or not has_secrets:
            with suppress(PermissionError):
                shown += (place / "environ").read_bytes()
    return shown


def _children(pid: int) -> Iterator[int]:
    for thread in Path(f"/proc/{pid}/task").iterdir():
        for child in (thread / "children").read_text().split():
            yield int(child)
            yield from _children(int(child))


def _seen(data: bytes, forms: set[bytes]) -> set[bytes]:
    return set(_SHAPES.findall(data)) | {form for form in forms if form in data}


def _forms(secret: str) -> Iterator[bytes]:
    plain = secret.encode()
    yield plain
    yield plain[::-1]
    yield plain.hex().encode()
    yield quote(secret, safe="").encode()
    for shift in range(3):  # where in a longer text it begins; its ends depend on that text
        yield base64.b64encode(b"-" * shift + plain)[4:-4]
