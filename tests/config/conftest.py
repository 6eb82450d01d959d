from collections.abc import Callable
from pathlib import Path

import pytest

from m3cred_tui.config.locations import Locations


@pytest.fixture
def places(tmp_path: Path) -> Locations:
    return Locations(
        data=tmp_path / "data",
        identity=tmp_path / "config" / "identity.txt",
        log=tmp_path / "state" / "log",
    )


@pytest.fixture
def write(places: Locations) -> Callable[[str], bytes]:
    """Write the settings file, and return its bytes."""

    def write_file(text: str) -> bytes:
        places.settings.parent.mkdir(mode=0o700, exist_ok=True)
        places.settings.touch(mode=0o600)
        places.settings.write_bytes(text.encode())
        return text.encode()

    return write_file
