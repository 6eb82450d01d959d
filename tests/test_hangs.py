"""No test can hold up a run, wherever it hangs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HANGS = {
    "in a call into C": """
import unicodedata

def test_hangs():
    unicodedata.normalize("NFC", "a" + "\\u0316\\u0301" * (1 << 20))
""",
    "in the end of an event loop": """
import asyncio
import threading

async def test_hangs():
    await asyncio.to_thread(threading.Event().wait)
""",
    "in a fixture's clean-up": """
import threading

import pytest

@pytest.fixture
def thread():
    thread = threading.Thread(target=threading.Event().wait)
    thread.start()
    yield
    thread.join()

def test_hangs(thread):
    threading.Event().wait()
""",
    "at the end of the process": """
import threading

def test_hangs():
    threading.Thread(target=threading.Event().wait).start()
""",
}


# What ends a test, and what runs these; the others take half of the time.
PLUGINS = ("tests.conftest", "xdist", "pytest_timeout", "pytest_asyncio.plugin")


@pytest.mark.parametrize("workers", ["0", "1"])
@pytest.mark.parametrize("hang", HANGS)
@pytest.mark.long
def test_a_test_that_hangs_is_ended_and_its_stack_shown(
    hang: str, workers: str, tmp_path: Path
) -> None:
    path = tmp_path / "test_hanging.py"
    path.write_text(HANGS[hang])
    root = Path(__file__).parents[1]
    command = [sys.executable, "-m", "pytest", *(f"-p{one}" for one in PLUGINS), "-n", workers]
    command += ["--timeout=0.2", "-o", "timeout=0.2", "-c", str(root / "pyproject.toml")]
    ended = subprocess.run(
        [*command, path],
        check=False,
        capture_output=True,
        text=True,
        cwd=root,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        timeout=30,
    )
    # A worker has reported by then that the test passed.
    assert ended.returncode == ((hang, workers) != ("at the end of the process", "1"))
    assert "Timeout (0:00:00.3" in ended.stderr
    assert "Thread 0x" in ended.stderr
