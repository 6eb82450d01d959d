"""Hostile text in records: every page that shows one, on the terminal's bytes."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import pytest

from tests.e2e.cells import Cells, watch
from tests.e2e.conftest import Home, Start
from tests.e2e.hostile import ONE_OF_EACH_KIND, TRIED, Hostile
from tests.e2e.records import Kept, keep, spoil
from tests.e2e.sequences import kinds
from tests.e2e.terminal import DOWN, ENTER, Terminal

pytestmark = [
    pytest.mark.long,
    pytest.mark.e2e,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(180),  # for hundreds of texts on a busy machine
]

PAGE_DOWN = "\x1b[6~"
COLUMNS = {
    " Status": " ✓ authenticated ",
    " Created": " 20",
}
FIELDS = ("Credential ID", "Entity type", "Account ID", "Country", "Mode", "Created by")


class Page(NamedTuple):
    """The Credentials page, and what its rows have to show."""

    app: Terminal
    cells: Cells
    kept: Sequence[Kept]

    @property
    def lines(self) -> range:
        """Return the lines of the screen that rows stand on."""
        end = self.cells.line_with(" Support portal")
        return range(self.cells.line_with(" Name ") + 1, end)

    async def shows_words(self, *words: str) -> None:
        """Wait for all of these words at once."""
        await self.app.shows(lambda screen: all(word in screen for word in words))

    async def shows_rows(self, rows: slice) -> None:
        """Wait for these rows, each with its words, in columns that are straight."""
        lines = list(zip(self.lines, self.kept[rows], strict=False))

        def is_straight(line: int) -> bool:
            heading = self.cells.display[self.lines.start - 1]
            return all(
                self.cells.words(line, heading.index(title), len(wanted)) == wanted
                for title, wanted in COLUMNS.items()
            )

        def all_shown(_screen: str) -> bool:
            return all(
                one.words in self.cells.display[line] and (one.is_damaged or is_straight(line))
                for line, one in lines
            )

        await self.app.shows(all_shown)


async def look_through(page: Page) -> None:
    """Page through the whole list, then sort it by each of its columns."""
    seen, number = len(page.lines), len(page.kept)
    await page.shows_rows(slice(seen))
    for last in range(seen + 1, number + seen, seen):
        page.app.press(PAGE_DOWN)
        end = min(last, number)
        await page.shows_rows(slice(max(0, end - seen), end))
    for _ in range(4):  # what all have in common has no column
        page.app.press("s")
        await page.app.settles()
    page.app.press("g")
    await page.shows_rows(slice(seen))


async def look_into(page: Page, rows: Sequence[int]) -> None:
    """Open the details of some rows, and be asked whether to delete them."""
    for before, row in pairwise([0, *rows]):
        word = page.kept[row].hostile.canary
        page.app.press(*[DOWN] * (row - before), ENTER)
        await page.shows_words(word, *FIELDS)
        page.app.press("d")
        await page.shows_words(word, "No, keep it")
        page.app.press(ENTER)
        await page.app.shows("Support portal")


async def filter_and_leave(page: Page) -> None:
    """Filter by what the canaries have in common, and quit."""
    found = sum(one.words == one.hostile.canary for one in page.kept)
    page.app.press("/", page.kept[0].words[:2])
    await page.app.shows(f"{found} of {len(page.kept)} credentials")
    page.app.press(ENTER)
    await page.app.settles()
    page.app.press("q")
    assert await page.app.ends() == 0


async def tour(start: Start, kept: Sequence[Kept], some: Sequence[Hostile]) -> set[str]:
    """Go through every page that shows a record; return the kinds of what was written."""
    app = await start("--demo", columns=100, lines=40)
    page = Page(app, watch(app), kept)
    await app.shows("Support portal")
    await look_through(page)
    await look_into(
        page, [at for at, one in enumerate(kept) if one.hostile in some and not one.is_damaged]
    )
    await filter_and_leave(page)
    return kinds(app.raw)


async def test_no_text_in_a_record_reaches_the_terminal_as_more_than_text(
    home: Home, start: Start
) -> None:
    good = [Hostile("none", f"Good{n:02}", f"Good{n:02}") for n in range(70)]
    expected = await tour(start, keep(home, good), good[-1:])
    for file in home.credentials.iterdir():
        file.unlink()
    kept = [*keep(home, TRIED)]
    kept[:0] = spoil(home, ONE_OF_EACH_KIND)
    assert await tour(start, kept, ONE_OF_EACH_KIND) - expected == set()
