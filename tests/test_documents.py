"""The documents and the developers' tools: what they link to, name and run is there."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.binding import BindingsMap
from textual.dom import DOMNode

from m3cred_tui import VERSION
from m3cred_tui.ui.app import M3credApp
from m3cred_tui.ui.screens.credentials import CredentialsPage
from m3cred_tui.ui.stages.waiting import WaitingPanel
from m3cred_tui.ui.widgets.credential_list import CredentialList

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "m3cred_tui"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
OF_THE_CODE = [ROOT / "CONTRIBUTING.md", ROOT / "docs" / "architecture.md"]

_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def by_name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=by_name)
def test_every_link_to_another_page_leads_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", _FENCED.sub("", page.read_text())):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def anchors(page: Path) -> set[str]:
    """Return what the forge makes of the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", _FENCED.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}


@pytest.mark.parametrize("page", OF_THE_CODE, ids=by_name)
def test_every_file_and_name_of_the_code_is_there(page: Path) -> None:
    named = [*named_in(page.read_text())]
    assert named
    for path, name in named:
        roots = (ROOT, PACKAGE)
        assert any((root / path).exists() for root in roots), path
        if name:
            sources = (root / path for root in roots if (root / path).is_file())
            assert name in defined_in(next(sources)), f"{path} {name}"


def named_in(text: str) -> Iterator[tuple[str, str]]:
    """Yield each path, with the name that stands before or after it if there is one."""
    yield from re.findall(r"`([\w./-]+/[\w.-]+\.py)`(?: `([\w.]+)`)?", text)
    for name, path in re.findall(r"`([\w.]+)`, `([\w./-]+/[\w.-]+\.py)`", text):
        yield path, name
    # A directory, as the last part of a path or alone.
    yield from ((path, "") for path in re.findall(r"`([a-z][\w/]*/)`", text))


def defined_in(source: Path) -> set[str]:
    """Return the names of a file, those of its classes with the class before them."""
    tree = ast.parse(source.read_bytes())
    return {*_names(tree, ""), *(name.rpartition(".")[2] for name in _names(tree, ""))}


def _names(tree: ast.Module | ast.ClassDef, of: str) -> Iterator[str]:
    for node in tree.body:
        match node:
            case ast.ClassDef(name):
                yield of + name
                yield from _names(node, f"{of}{name}.")
            case ast.FunctionDef(name) | ast.AsyncFunctionDef(name):
                yield of + name
            case ast.Assign(targets=[ast.Name(name)]) | ast.AnnAssign(ast.Name(name)):
                yield of + name


def test_the_architecture_shows_every_room() -> None:
    tree = (ROOT / "docs" / "architecture.md").read_text().partition("tests/")[0]
    rooms = {one.name for one in PACKAGE.iterdir() if (one / "__init__.py").exists()}
    assert {*re.findall(r"^  (\w+)/ ", tree, re.MULTILINE)} == rooms


def test_every_make_command_in_the_pages_is_a_target() -> None:
    pages = [*OF_THE_CODE, ROOT / "README.md", ROOT / "Makefile"]
    told = {word for page in pages for word in re.findall(r"`make ([\w-]+)", page.read_text())}
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert told
    assert told <= {*targets}


def test_ci_and_the_hooks_before_a_commit_run_what_make_check_runs() -> None:
    makefile = (ROOT / "Makefile").read_text()
    recipe = re.search(r"^check:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    assert recipe
    ci = (ROOT / ".ci" / "run").read_text()
    hooks = (ROOT / ".pre-commit-config.yaml").read_text().replace(" --force-exclude", "")
    for line in recipe[1].splitlines():
        command = line.strip().replace("$(BIN)", ".venv/bin")
        assert command in ci
        assert command.removesuffix(" .") in hooks


def test_the_example_of_one_test_runs_one() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    ((path, word),) = re.findall(r"(tests/\S+\.py) -k (\w+)`", text)
    tests = [one for one in defined_in(ROOT / path) if one.startswith("test_")]
    assert sum(word in one for one in tests) == 1


def test_the_changelog_begins_with_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    assert re.findall(r"^## ([\d.]+)", text, re.MULTILINE)[:1] == [VERSION]


@pytest.mark.parametrize(
    ("heading", "where"),
    [
        ("on Credentials", (CredentialsPage, CredentialList, M3credApp)),
        ("at stage 4, while Stripe has not answered", (WaitingPanel,)),
    ],
    ids=["Credentials", "stage 4"],
)
def test_every_key_that_the_readme_names_is_bound(
    heading: str, where: tuple[type[DOMNode], ...]
) -> None:
    rows = (ROOT / "README.md").read_text().partition(f"| key | {heading} |")[2]
    keys = re.findall(r"^\| `?(.+?)`? \|", rows.partition("\n\n")[0], re.MULTILINE)
    bindings = BindingsMap(one for of in where for one in of.BINDINGS)
    bound = {one.key_display or one.key for _, one in bindings} | {"ctrl+p"}
    assert len(keys) > 6
    assert {key if len(key) == 1 else key.lower() for key in keys} <= bound
