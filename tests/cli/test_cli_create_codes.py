"""The error codes of docs/create.md: scripts rely on them."""

import importlib
import pkgutil
import re
from pathlib import Path

from m3cred_tui.model.problem import Problem

PAGE = Path(__file__).parents[2] / "docs" / "create.md"


def all_codes(of: type[Problem] = Problem) -> set[str]:
    return {of.__name__}.union(*map(all_codes, of.__subclasses__()))


def test_every_code_that_is_documented_is_one_that_can_come() -> None:
    rows = re.findall(r"^\| (`[A-Z].*?) \|", PAGE.read_text(), re.MULTILINE)
    documented = {code for row in rows for code in re.findall(r"`(\w+)`", row)}
    assert len(documented) > 20
    for room in ("authorize", "callback", "cli", "config", "store", "stripe"):
        package = importlib.import_module(f"m3cred_tui.{room}")
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    assert documented - all_codes() == set()
