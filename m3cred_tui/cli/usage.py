"""What the parsers have in common: how wrong usage is reported, and what values may be."""

# ruff: noqa: SLF001  argparse has no public way to inspect a parser
import argparse
import re
from collections.abc import Callable, Iterable, Sequence
from typing import NoReturn

from m3cred_tui.model.credential import STRIPE
from m3cred_tui.model.name import name_problem, tidy_name
from m3cred_tui.model.problem import Problem
from m3cred_tui.model.text import clean

Add = Callable[..., argparse.ArgumentParser]
"""Adds a command; takes its name and the arguments of ``ArgumentParser``."""

_ACCOUNT = re.compile(r"acct_[A-Za-z0-9]{1,64}")
_LONGEST_ERROR = 1000


class Parser(argparse.ArgumentParser):
    """A parser that reports wrong usage with its own usage, and with what may be meant.

    It overrides methods that argparse's own parsers of commands go through, too. Its epilog
    may be a function, for words that take long to import; only help calls it.
    """

    _width: int | None = 80

    @property
    def epilog(self) -> str | None:
        """What the help ends with."""
        return self._epilog() if callable(self._epilog) else self._epilog

    @epilog.setter
    def epilog(self, epilog: str | Callable[[], str] | None) -> None:
        self._epilog = epilog

    def _get_formatter(self) -> argparse.HelpFormatter:
        """Return what formats help, and what argparse checks each option with.

        Only for help is the terminal measured: what does it takes 3 ms to import.
        """
        return argparse.HelpFormatter(self.prog, width=self._width)

    def format_usage(self) -> str:
        """Format the usage for the terminal's width."""
        self._width = None
        return super().format_usage()

    def format_help(self) -> str:
        """Format the help for the terminal's width."""
        self._width = None
        return super().format_help()

    def error(self, message: str) -> NoReturn:
        """Report wrong usage; the message quotes what was typed, or pasted."""
        super().error(clean(message, most=_LONGEST_ERROR))

    def parse_known_args(  # type: ignore[override]  # the overloads are for other namespaces
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Parse, and report unknown options, which argparse would do with the whole usage."""
        chosen, surplus = super().parse_known_args(args, namespace)
        if surplus:
            words = [word.partition("=")[0] for word in surplus if word.startswith("-")]
            hint = next(filter(None, (self._hint(word, chosen) for word in words)), "")
            self.error(f"unrecognized arguments: {' '.join(surplus)}{hint}")
        return chosen, surplus

    def _hint(self, word: str, chosen: argparse.Namespace) -> str:
        """Return what may be meant by an unknown option, or where it goes."""
        for action in self._actions:
            if isinstance(action, argparse._SubParsersAction):
                command = action.choices.get(getattr(chosen, action.dest))
                if command and word in command._option_string_actions:
                    return f"; it goes after the command: {command.prog} {word}"
        by_name = {one.lstrip("-"): one for one in self._option_string_actions}
        return _meant(by_name.get(_nearest(word.lstrip("-"), by_name), ""))

    def _check_value(self, action: argparse.Action, value: object) -> None:
        choices = [str(one) for one in action.choices or ()]
        if not choices or value in choices:
            return
        meant = _meant(_nearest(str(value), choices))
        if isinstance(action, argparse._SubParsersAction):
            told = f"there is no command “{value}”{meant or f'; see {self.prog} --help'}"
            raise argparse.ArgumentError(None, told)
        told = f"invalid choice: {value!r} (choose from {', '.join(choices)}){meant}"
        raise argparse.ArgumentError(action, told)


def _nearest(word: str, among: Iterable[str]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - for a slip only

    near = get_close_matches(word.lower(), [*among], 1)
    return near[0] if near else ""


def _meant(near: str) -> str:
    return f"; did you mean {near}?" if near else ""


def flag(command: argparse._ActionsContainer, name: str, text: str) -> None:
    """Add an option without a value."""
    command.add_argument(name, action="store_true", help=text)


def add_json(command: argparse._ActionsContainer) -> None:
    """Add ``--json``."""
    flag(command, "--json", "for machines; see docs/json.md")


# The types of these words say what completes them; the commands look for what they name.


def credential(text: str) -> str:
    """Return what names a credential: its name, its ID or a part of it, its account's ID."""
    return text


def pending(text: str) -> str:
    """Return what names a pending credential."""
    return text


def setting(text: str) -> str:
    """Return what names a setting, such as ``stripe.ports``."""
    return text


def credential_name(text: str) -> str:
    """Return the name of a new credential."""
    if problem := name_problem(text):
        raise argparse.ArgumentTypeError(problem)
    return tidy_name(text)


def account_id(text: str) -> str:
    """Return the ID of a Stripe account."""
    if not _ACCOUNT.fullmatch(text):
        raise argparse.ArgumentTypeError("an account ID is acct_ and letters and digits")
    return text


def number(wanted: str, least: int, largest: int) -> Callable[[str], int]:
    """Return a function that returns a number in these limits."""

    def checked(text: str) -> int:
        is_number = text.isascii() and text.isdigit() and len(text) <= len(str(largest))
        if not is_number or not least <= int(text) <= largest:
            raise _not_a(text, wanted)
        return int(text)

    return checked


def several(text: str, kind: str, known: Sequence[str]) -> list[str]:
    """Return words that are separated by commas, in their order, each one of the known."""
    words = list(dict.fromkeys("_".join(one.lower().split()) for one in text.split(",")))
    for word in words:
        if word not in known:
            told = f"there is no {kind} “{word}”; there are {', '.join(known)}"
            raise argparse.ArgumentTypeError(told)
    return words


def _listed(words: Iterable[str]) -> str:
    *names, last = words
    return f"{', '.join(names)} and {last}"


def _not_a(text: str, wanted: str) -> argparse.ArgumentTypeError:
    return argparse.ArgumentTypeError(f"{text[:80]!a} is not {wanted}")


# Each module imported below takes as long as the whole parser, and is for one option or help.


def columns_and_statuses() -> str:
    """Return what the help of ``m3cred list`` ends with."""
    from m3cred_tui.cli.output.tables import BY_NAME  # noqa: PLC0415 - see above
    from m3cred_tui.listing.columns import OF_A_CHECK, STATUSES  # noqa: PLC0415 - see above

    others = ", ".join(one for one in STATUSES if one not in OF_A_CHECK)
    return (
        f"Columns are {_listed(BY_NAME)}. "
        f"Statuses are {others} and, by the last check, {_listed(OF_A_CHECK)}."
    )


def names_of_settings() -> str:
    """Return what the help of ``m3cred config`` ends with."""
    from m3cred_tui.config.table import groups  # noqa: PLC0415 - see above

    every = groups()
    names = (one.name for group in every for one in group.settings if one.is_settable)
    tables = ". or ".join(group.table for group in every)
    return f"Names are {_listed(dict.fromkeys(names))}, after {tables}."


def columns(text: str) -> list[str]:
    """Return the names of columns of ``m3cred list``."""
    from m3cred_tui.cli.output.tables import BY_NAME  # noqa: PLC0415 - see above

    return several(text, "column", [*BY_NAME])


def statuses(text: str) -> list[str]:
    """Return statuses of ``m3cred list``."""
    from m3cred_tui.listing.columns import STATUSES  # noqa: PLC0415 - see above

    return several(text, "status", STATUSES)


def ports(text: str) -> tuple[int, ...]:
    """Return the ports of a callback server."""
    from m3cred_tui.config import entered  # noqa: PLC0415 - see above

    try:
        return entered.ports(text, STRIPE)  # they are the same for each destination
    except Problem as problem:
        raise argparse.ArgumentTypeError(str(problem)) from None


def demo_redirect_uri(text: str) -> str:
    """Return a redirect URI of the demo Stripe."""
    from m3cred_tui.demo_stripe.description import check_redirect_uri  # noqa: PLC0415 - see above

    try:
        check_redirect_uri(text)
    except ValueError:
        raise _not_a(text, "a redirect URI") from None
    return text
