"""Writes the table of docs/terminals.md, each cell from a run of m3cred in that terminal.

Run it in the checkout: ``python docs/terminals.py``. It needs tmux and GNU screen.
"""

import asyncio
import re
from pathlib import Path

from tests.e2e.terminal_visit import find_out_all
from tests.e2e.terminals import HEADINGS, Found

PAGE = Path(__file__).with_suffix(".md")
_TABLE = re.compile(r"(?<=<!-- found by terminals.py -->\n).*(?=<!-- end -->)", re.DOTALL)


def row(name: str, found: Found) -> str:
    """Return a line of the table."""
    return f"| {' | '.join((name, *found))} |"


def rows() -> dict[str, str]:
    """Return the lines of the table as it is, by the name of the terminal."""
    lines = _table().splitlines()[2:]
    return {line.split("|")[1].strip(): line for line in lines}


def _table() -> str:
    table = _TABLE.search(PAGE.read_text(encoding="utf-8"))
    assert table, "the page has lost the marks around its table"
    return table[0]


async def _write() -> None:
    lines = [row("Terminal", HEADINGS), "|---" * (len(HEADINGS) + 1) + "|"]
    for name, found in (await find_out_all()).items():
        if isinstance(found, BaseException):
            raise found
        lines.append(row(name, found))
    table = "\n".join((*lines, ""))
    page = _TABLE.sub(lambda _: table, PAGE.read_text(encoding="utf-8"))
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(_write())
