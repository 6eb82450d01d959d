"""The URL in a file, for whoever gets at files more easily than at the screen."""

from contextlib import suppress
from pathlib import Path

from m3cred_tui.model.problem import Problem
from m3cred_tui.model.text import clean
from m3cred_tui.store.files import (
    FlawError,
    UnconfirmedError,
    check_way,
    create,
    private_folder,
    read_private,
    remove,
    replace,
)
from m3cred_tui.store.problems import plain_reason

_LONGEST_URL = 8192
_BEGINNINGS = (b"https://", b"http://")


class UrlNotWritten(Problem):
    """Something else has the name of the file; it was left as it is."""

    def __init__(self, path: Path, reason: str) -> None:
        shown = clean(str(path), most=4096)
        super().__init__(f"The URL was not written to {shown}: {reason}.")
        self.path = path
        self.reason = reason


def write_url(path: Path, url: str) -> Path:
    """Write the URL and a line's end into a file of this user alone; return its path.

    Replaces a file that an older URL was written to, and nothing else. Raises
    :class:`UrlNotWritten`, and :class:`~m3cred_tui.store.problems.StoreUnusable` for the
    directory, which is made where it is missing. Waits for the disk.
    """
    data = f"{url}\n".encode()
    with private_folder(path.parent, make=True) as folder:
        check_way(path.parent)
        try:
            with suppress(UnconfirmedError):  # nobody misses it after a crash
                if _is_ours(folder, path):
                    replace(folder, path.name, data)
                else:
                    create(folder, path.name, data)
        except FileExistsError:
            raise UrlNotWritten(path, "another m3cred was faster; try again") from None
        except OSError as error:
            raise UrlNotWritten(path, plain_reason(error)) from error
    return path


def remove_url(path: Path) -> None:
    """Remove the file if it is one that :func:`write_url` has written; never raises.

    Its URL is of no use after its authorization, but it names what was asked for.
    """
    with (
        suppress(OSError, Problem, UnconfirmedError),
        private_folder(path.parent) as folder,
    ):
        if _is_ours(folder, path):
            remove(folder, path.name)


def _is_ours(folder: int, path: Path) -> bool:
    """Tell whether an older URL is there; raises :class:`UrlNotWritten` for anything else."""
    try:
        data = read_private(folder, path.name, path, most=_LONGEST_URL)
    except FileNotFoundError:
        return False
    except FlawError as flaw:
        raise UrlNotWritten(path, str(flaw)) from flaw
    if not (data.startswith(_BEGINNINGS) and data.find(b"\n") == len(data) - 1):
        raise UrlNotWritten(path, "what is in it is not from m3cred")
    return True
