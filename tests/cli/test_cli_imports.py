import json
from collections.abc import Callable
from subprocess import CompletedProcess

import pytest

Run = Callable[..., CompletedProcess[str]]

HEAVY = ("textual", "rich", "httpx", "starlette", "uvicorn", "pyrage", "h11", "asyncio")
# Prints what was imported, at whatever point the command line left.
PROGRAM = """
import json, sys
from m3cred_tui.cli.main import main
try:
    main({arguments!r})
finally:
    sys.stderr.write("\\n" + json.dumps(sorted(sys.modules)))
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["demo-stripe", "--help"],
        ["--wrong"],
        ["demo-stripe", "--port", "x"],
    ],
    ids=" ".join,
)
def test_help_and_version_come_without_the_time_to_import_the_app(
    python: Run, arguments: list[str]
) -> None:
    ended = python("-c", PROGRAM.format(arguments=arguments))
    imported = json.loads(ended.stderr.splitlines()[-1])
    assert "m3cred_tui.cli.main" in imported
    assert [name for name in HEAVY if name in imported] == []


def test_opening_the_app_imports_no_network_before_its_first_paint(python: Run) -> None:
    ended = python(
        "-c",
        "import json, sys, m3cred_tui.ui.app, m3cred_tui.ui.services;"
        "import m3cred_tui.store.directory.store;"
        "print(json.dumps(sorted(sys.modules)))",
    )
    imported = json.loads(ended.stdout)
    assert "textual.app" in imported
    heavy = [name for name in ("httpx", "starlette", "uvicorn", "pyrage") if name in imported]
    assert heavy == []
    assert [name for name in imported if name.startswith("m3cred_tui.ui.stages")] == []


def test_asking_stripe_comes_without_the_time_to_import_the_command_line_of_httpx(
    python: Run,
) -> None:
    ended = python(
        "-c",
        "import json, sys, m3cred_tui.cli.main, m3cred_tui.stripe.transport;"
        "print(json.dumps(sorted(name for name, one in sys.modules.items() if one)))",
    )
    imported = json.loads(ended.stdout)
    assert "httpx" in imported
    assert [one for one in ("click", "pygments", "rich") if one in imported] == []
