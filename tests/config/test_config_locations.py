import sys
from pathlib import Path

import platformdirs
import pytest

from m3cred_tui.config.locations import APP_NAME, Locations, locations

XDG = ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME")

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="XDG is Linux's")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Be a user without XDG variables."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in XDG:
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_without_xdg_variables_files_are_where_xdg_says(home: Path) -> None:
    assert locations(demo=False) == Locations(
        data=home / ".local/share/m3cred",
        identity=home / ".config/m3cred/identity.txt",
        log=home / ".local/state/m3cred/m3cred.log",
    )


def test_xdg_variables_move_them(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "elsewhere/data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "elsewhere/config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "elsewhere/state"))
    assert locations(demo=False) == Locations(
        data=home / "elsewhere/data/m3cred",
        identity=home / "elsewhere/config/m3cred/identity.txt",
        log=home / "elsewhere/state/m3cred/m3cred.log",
    )


def test_the_demo_has_its_own_locations_below_the_normal_ones(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))
    demo = locations(demo=True)
    assert demo.data == home / "data/m3cred/demo"
    assert demo.identity == home / ".config/m3cred/demo/identity.txt"
    assert demo.log == home / ".local/state/m3cred/demo/m3cred.log"


@pytest.mark.parametrize("demo", [False, True])
@pytest.mark.parametrize(
    ("data", "config"),
    [("data", "config"), ("one", "one"), ("one", "one/m3cred"), ("one/m3cred", "one")],
)
def test_a_copy_of_the_data_directory_never_holds_the_identity(
    home: Path, monkeypatch: pytest.MonkeyPatch, data: str, config: str, demo: bool
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(home / data))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / config))
    normal, places = locations(demo=False), locations(demo=demo)
    assert not places.identity.is_relative_to(normal.data)


def test_where_one_directory_is_for_both_the_identity_goes_elsewhere(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As on macOS, where platformdirs answers the same for data and configuration.
    class OneDirectory:
        def __init__(self, name: str, *, appauthor: bool) -> None:
            self.user_data_path = self.user_config_path = self.user_state_path = (
                home / "Library" / name
            )

    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(platformdirs, "PlatformDirs", OneDirectory)
    places = locations(demo=False)
    assert places.data == home / "Library/m3cred"
    assert places.identity == home / ".m3cred/identity.txt"


def test_asking_for_the_locations_creates_nothing(home: Path) -> None:
    locations(demo=False)
    locations(demo=True)
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("value", ["relative", ".", "~/here", " "])
@pytest.mark.parametrize("name", XDG)
def test_a_relative_one_counts_as_not_set_whatever_platformdirs_says(
    home: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    # Older releases take it, and the identity would be wherever m3cred was started.
    usual = locations(demo=False)
    monkeypatch.setenv(name, value)
    monkeypatch.delattr(platformdirs, "PlatformDirs")
    assert locations(demo=False) == usual
    assert usual.data == home / ".local/share/m3cred"


@pytest.mark.parametrize("value", ["/else/where", "", "relative", "~/here", "/", "/a//b/"])
def test_they_are_those_of_platformdirs(
    home: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    for name in XDG:
        monkeypatch.setenv(name, value)
        dirs = platformdirs.PlatformDirs(APP_NAME, appauthor=False)
        found = locations(demo=False)
        assert found.data == dirs.user_data_path
        assert found.log.parent == dirs.user_state_path
        if not dirs.user_config_path.is_relative_to(found.data):
            assert found.identity.parent == dirs.user_config_path
        monkeypatch.delenv(name)
