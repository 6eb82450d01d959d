"""One row in the table of the settings is a setting everywhere."""

import json
from collections.abc import Callable

import pytest

from docs.configuration import PAGE, page
from m3cred_tui.cli.commands.completion import _settings as candidates
from m3cred_tui.cli.commands.config import setups_fields, setups_text
from m3cred_tui.cli.parser import parser
from m3cred_tui.config import file, setup, table
from m3cred_tui.config.editor import SettingsEditor
from m3cred_tui.config.entered import NothingEntered, tidy
from m3cred_tui.config.locations import Locations
from m3cred_tui.config.settings import Settings
from m3cred_tui.config.setup import Origin
from m3cred_tui.config.table import Group, Setting, group_of, groups, setting_named
from m3cred_tui.model.credential import STRIPE_TEST
from m3cred_tui.model.problem import Problem
from m3cred_tui.store.identity import IdentityFile

Write = Callable[[str], bytes]


def colour(text: str, _subject: object) -> str:
    if not tidy(text):
        raise NothingEntered("colour")
    return tidy(text).lower()


COLOUR = Setting[str](
    "colour", "Colour", colour, "What the walls are painted in.", example="red"
)


@pytest.fixture
def with_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    """Add a row to the table."""
    monkeypatch.setattr(table, "OF_A_DESTINATION", (*table.OF_A_DESTINATION, COLOUR))


@pytest.mark.usefixtures("with_colour")
def test_a_new_row_is_read_from_the_file_and_from_the_environment(
    places: Locations, write: Write
) -> None:
    write('[stripe_test]\ncolour = "Blue"\n')
    read = Settings(places).setup(STRIPE_TEST)[COLOUR]
    assert (read.value, read.origin, read.place) == ("blue", Origin.FILE, "stripe_test.colour")
    variable = {"M3CRED_STRIPE_TEST_COLOUR": "Green"}
    assert Settings(places, environ=variable).setup(STRIPE_TEST)[COLOUR].value == "green"
    write("[stripe_test]\ncolour = 1\n")
    with pytest.raises(Problem, match=r"stripe_test\.colour: This must be text\."):
        Settings(places).checked(STRIPE_TEST)


@pytest.mark.usefixtures("with_colour")
def test_a_new_row_is_set_and_reported_by_the_command(places: Locations) -> None:
    editor = SettingsEditor(Settings(places), IdentityFile(places.identity, places.data))
    group, setting = setting_named("stripe_test.colour")
    editor.change(group, setting, "Blue")
    assert places.settings.read_text() == 'version = 1\n\n[stripe_test]\ncolour = "blue"\n'
    setups = [editor.setup(one) for one in groups()]
    lines = setups_text(setups, editor.file).splitlines()
    assert [line.split() for line in lines if "colour" in line] == [
        ["colour", "not", "set"],
        ["colour", "blue", "file"],
    ]
    assert '"colour": {"origin": "file"' in json.dumps(setups_fields(setups, editor.file))
    assert "stripe.colour" in [one.value for one in candidates()]


@pytest.mark.usefixtures("with_colour")
def test_a_new_row_is_in_the_documentation() -> None:
    assert "| `colour` | **Colour.** What the walls are painted in. | none |\n" in page()
    assert "| `M3CRED_STRIPE_COLOUR` | as `colour` in the file |\n" in page()


def test_the_page_of_the_settings_is_that_of_todays_table() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m docs.configuration"


@pytest.mark.usefixtures("with_colour")
def test_a_new_row_is_in_the_help_of_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["config", "--help"])
    told = " ".join(capsys.readouterr().out.split()).partition("Names are ")[2]
    names, _, tables = told.partition(", after ")
    settings = [one.name for group in groups() for one in group.settings if one.is_settable]
    assert "colour" in settings
    assert names.replace(" and ", ", ").split(", ") == [*dict.fromkeys(settings)]
    assert tables == "stripe. or stripe_test. or store."


def test_settings_can_belong_to_no_destination(
    places: Locations, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = Group("house", "House", (COLOUR,))
    for module in (file, setup, table):
        monkeypatch.setattr(module, "groups", lambda: (group_of(STRIPE_TEST), house))
    write('[house]\ncolour = "Blue"\n[stripe_test]\nports = [4001]\n')
    settings = Settings(places)
    assert settings.setup_of(house)[COLOUR] == ("blue", Origin.FILE, "house.colour", None)
    variable = {"M3CRED_HOUSE_COLOUR": "Green"}
    assert Settings(places, environ=variable).setup_of(house)[COLOUR].value == "green"
    editor = SettingsEditor(settings, IdentityFile(places.identity, places.data))
    editor.change(*setting_named("house.colour"), None)
    assert settings.setup_of(house)[COLOUR].value is None


def test_each_name_is_one_row_and_each_source_gives_a_value_that_there_is() -> None:
    for group in groups():
        names = [one.name for one in group.settings]
        assert len({*names}) == len(names)
        assert all(group.value_of(one) in group.settings for one in group.settings)
