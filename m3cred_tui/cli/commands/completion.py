"""``m3cred completion``: completion for bash, zsh and fish.

The words that can come next are found by walking through the parser. bash splits a word at
every ``:`` and ``=``, and inserts completions as they are, so lines are split and words are
quoted for it here.
"""

# ruff: noqa: SLF001  argparse has no public way to inspect a parser
import argparse
import sys
from argparse import Namespace
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple

from m3cred_tui.cli import usage
from m3cred_tui.cli.ending import DONE
from m3cred_tui.cli.output.streams import harmless
from m3cred_tui.cli.output.tables import BY_NAME
from m3cred_tui.cli.parser import parser
from m3cred_tui.cli.selecting import opened
from m3cred_tui.listing.columns import STATUSES
from m3cred_tui.model.credential import Credential
from m3cred_tui.store.problems import StoreUnusable, plain_reason

_BASH = r"""# m3cred in bash: in ~/.bashrc, eval "$(m3cred completion bash)"
_m3cred() {
    local kind= candidate
    COMPREPLY=()
    {
        IFS= read -r kind
        while IFS= read -r candidate; do COMPREPLY+=("$candidate"); done
    } < <(printf '%s\0' "${COMP_LINE:0:COMP_POINT}" "$2" |
        "$1" completion --answer bash 2>/dev/null)
    case $kind in
    files) compopt -o default 2>/dev/null ;;
    commands)
        while IFS= read -r candidate; do COMPREPLY+=("$candidate"); done < <(compgen -c -- "$2")
        compopt -o default 2>/dev/null
        ;;
    esac
}
complete -F _m3cred m3cred
"""

_ZSH = r"""#compdef m3cred
# m3cred in zsh: as a file _m3cred in a directory of $fpath, or in ~/.zshrc after compinit,
# eval "$(m3cred completion zsh)"
_m3cred() {
    local kind= value told
    local -a values lines
    {
        IFS= read -r kind
        while IFS=$'\t' read -r value told; do
            values+=("$value")
            lines+=("$value${told:+  -- $told}")
        done
    } < <(printf '%s\0' "${(@Q)words[2,CURRENT-1]}" "$PREFIX" |
        "${(Q)words[1]}" completion --answer zsh 2>/dev/null)
    case $kind in
    files) _files ;;
    commands) _command_names -e || _files ;;
    *) compadd -l -d lines -a -- values ;;
    esac
}
if [[ $funcstack[1] == _m3cred ]]; then _m3cred "$@"; else compdef _m3cred m3cred; fi
"""

_FISH = r"""# m3cred in fish: m3cred completion fish > ~/.config/fish/completions/m3cred.fish
function __m3cred_answer
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l lines (printf '%s\0' $words[2..] "$current" |
        $words[1] completion --answer fish 2>/dev/null)
    switch "$lines[1]"
        case files
            complete --do-complete="'' $current"
        case commands
            complete --do-complete="$current"
        case '*'
            test (count $lines) -gt 1; and printf '%s\n' $lines[2..]
    end
end
complete -c m3cred -f -a '(__m3cred_answer)'
"""

# Each asks m3cred itself, so that none becomes outdated.
_SCRIPTS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}


def run(chosen: Namespace) -> int:
    """Run the command; return its exit status."""
    if chosen.answer:
        sys.stdout.writelines(f"{line}\n" for line in _answer(chosen.shell))
    else:
        sys.stdout.write(_SCRIPTS[chosen.shell])
    return DONE


def _answer(shell: str) -> Iterator[str]:
    try:
        data = sys.stdin.buffer.read()
    except OSError as error:
        raise StoreUnusable("standard input", plain_reason(error)) from None
    given = data.decode(sys.stdin.encoding, "surrogateescape").removesuffix("\0").split("\0")
    if shell == "bash":
        typed, replaced = [*given, ""][:2]
        line = taken_apart(typed)
        kind, candidates = answer(line.words[1:])
        yield kind
        yield from insertions((one.value for one in candidates), line, replaced)
    else:
        kind, candidates = answer(given)
        yield kind
        yield from (f"{value}\t{told}" for value, told in candidates)


class Kind(StrEnum):
    """Where the completions come from: m3cred, or names that the shell finds."""

    WORDS = "words"
    FILES = "files"
    COMMANDS = "commands"


class Candidate(NamedTuple):
    """A word that can come next, and what it is."""

    value: str
    told: str = ""


class Answer(NamedTuple):
    """The completions; no candidates if the shell finds them."""

    kind: Kind
    candidates: Sequence[Candidate] = ()


_NOTHING = Answer(Kind.WORDS)
_FILE = "FILE"
_SEVERAL: dict[object, Iterable[str]] = {usage.columns: BY_NAME, usage.statuses: STATUSES}
"""The words for options that take several, by the type of their values."""
_ID_LETTERS = frozenset("0123456789abcdef-")


def answer(words: Sequence[str]) -> Answer:
    """Return the completions of the last of these words, without the program's name."""
    *before, current = words or [""]
    walk = _Walk(parser(before))
    for word in before:
        walk.go_on(word)
    return walk.answer(current)


class _Walk:
    """Follows the words of a command line through the parser."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self._is_demo = False
        self._options_over = False
        self._option: argparse.Action | None = None
        self._enter(parser)

    def go_on(self, word: str) -> None:
        """Follow a complete word."""
        if self._option is not None:
            self._option = None
        elif word == "--" and not self._options_over:
            self._options_over = True
        elif word.startswith("-") and word != "-" and not self._options_over:
            self._is_demo |= word == "--demo"
            action = self._parser._option_string_actions.get(word)
            self._option = action if action is not None and action.nargs != 0 else None
        else:
            self._take(word)

    def answer(self, current: str) -> Answer:
        """Return the completions at this point; ``current`` is what has been typed."""
        if self._option is not None:
            return self._fitting(self._option, current)
        if current.startswith("-") and not self._options_over:
            return Answer(Kind.WORDS, [*self._options()])
        return self._fitting(self._positionals[0], current) if self._positionals else _NOTHING

    def _enter(self, parser: argparse.ArgumentParser) -> None:
        self._parser = parser
        self._positionals = [one for one in parser._actions if not one.option_strings]
        self._taken = 0

    def _take(self, word: str) -> None:
        if not self._positionals:
            return
        action = self._positionals[0]
        if isinstance(action, argparse._SubParsersAction):
            if word in action.choices:
                self._enter(action.choices[word])
            else:
                self._positionals = []
            return
        self._taken += 1
        if action.nargs == argparse.REMAINDER:
            self._options_over = True
        elif action.nargs not in ("*", "+"):
            self._positionals = self._positionals[1:]
            self._taken = 0

    def _options(self) -> Iterator[Candidate]:
        for action in self._parser._actions:
            if action.option_strings and action.help is not argparse.SUPPRESS:
                yield Candidate(action.option_strings[-1], action.help or "")

    def _fitting(self, action: argparse.Action, current: str) -> Answer:
        if isinstance(action, argparse._SubParsersAction):
            helps = [Candidate(one.dest, one.help or "") for one in action._choices_actions]
            return Answer(Kind.WORDS, helps)
        if action.choices is not None:
            return Answer(Kind.WORDS, [Candidate(str(one)) for one in action.choices])
        if action.nargs == argparse.REMAINDER:
            return Answer(Kind.FILES if self._taken else Kind.COMMANDS)
        if action.metavar == _FILE:
            return Answer(Kind.FILES)
        if action.option_strings:
            return Answer(Kind.WORDS, [*_several(_SEVERAL.get(action.type, ()), current)])
        return Answer(Kind.WORDS, [*self._named(action, current)])

    def _named(self, action: argparse.Action, current: str) -> Iterator[Candidate]:
        if action.type is usage.setting:
            yield from _settings()
        elif action.type in (usage.credential, usage.pending):
            only_pending = action.type is usage.pending
            yield from self._credentials(current, only_pending=only_pending)

    def _credentials(self, current: str, *, only_pending: bool = False) -> Iterator[Candidate]:
        """Yield the credentials by name, and by ID where an ID is being typed."""
        store = opened(demo=self._is_demo).store
        ids = store.pending_ids() if only_pending else store.ids()
        rows = [row for row in store.read_many(ids) if row is not None]
        names = Counter(
            row.name for row in rows if isinstance(row, Credential) and not row.renews
        )
        is_id = bool(current) and _ID_LETTERS.issuperset(current)
        for row in rows:
            if not isinstance(row, Credential):
                yield Candidate(row.id, f"damaged: {row.reason}")
            elif (
                names[row.name] > 1
                or (row.renews and not only_pending)
                or not self._can_be_given(row.name)
            ):
                yield Candidate(row.id, row.name)
            else:
                yield Candidate(row.name, f"{row.destination.label}, {row.id}")
                if is_id:
                    yield Candidate(row.id, row.name)

    def _can_be_given(self, name: str) -> bool:
        is_option = name.startswith("-") and not self._options_over
        return not is_option and harmless(name, sys.stdout) == name


def _several(known: Iterable[str], current: str) -> Iterator[Candidate]:
    """Yield words that are separated by commas, each with those typed before it."""
    *before, _ = current.split(",")
    for word in known:
        if word not in before:
            yield Candidate(",".join([*before, word]))


def _settings() -> Iterator[Candidate]:
    from m3cred_tui.config.table import settable  # noqa: PLC0415 - 8 ms, for these alone

    for name, (group, _) in settable().items():
        yield Candidate(name, f"of {group.label}")


_ESCAPED = frozenset(
    one for one in map(chr, range(128)) if not one.isalnum() and one not in "%+,-./_"
)
_ESCAPED_IN_DOUBLE_QUOTES = '"$\\`'
_SPLITTING = ":=@"
"""bash ends a word that it completes at these, and expands none of them."""


class Typed(NamedTuple):
    """The words of a line of bash up to the cursor; the last may be incomplete."""

    words: list[str]
    """As the command would receive them."""
    last: str
    """The last one as it was typed."""
    quote: str
    """The quotation mark that is open, if any."""
    is_plain: bool
    """Whether bash takes each character of the last one for itself, and expands none."""


def taken_apart(line: str) -> Typed:
    """Split a line into words (bash(1), QUOTING); expansions are left as they are."""
    words, word, start, quote = [], "", 0, ""
    is_escaped = is_begun = False
    is_plain = True
    for position, one in enumerate(line):
        if is_escaped:
            stays = quote == '"' and one not in _ESCAPED_IN_DOUBLE_QUOTES
            word += f"\\{one}" if stays else one
            is_escaped = False
        elif one == "\\" and quote != "'":
            is_escaped = is_begun = True
        elif quote:
            quote, word = ("", word) if one == quote else (quote, word + one)
            is_plain &= quote != '"' or one not in "$`!"
        elif one in "\"'":
            quote, is_begun = one, True
        elif one.isspace():
            words += [word] * is_begun
            word, start, is_begun, is_plain = "", position + 1, False, True
        else:
            word, is_begun = word + one, True
            is_plain &= one in _SPLITTING or one not in _ESCAPED
    return Typed([*words, word], line[start:], quote, is_plain)


def insertions(values: Iterable[str], line: Typed, replaced: str) -> Iterator[str]:
    """Yield what replaces ``replaced``, the end of the last word, for each matching value.

    There is none if bash expands anything in the beginning, which stays, or if the quotation
    mark is one of ``$'…'``.
    """
    before = taken_apart(line.last[: len(line.last) - len(replaced)])
    if not (before.is_plain and line.last.endswith(replaced)):
        return
    length = len(before.words[-1])
    for value in values:
        if value.startswith(line.words[-1]):
            insertion = quoted(value[length:], line.quote)
            # readline takes a quotation mark at the beginning for the one that is open.
            is_taken = line.quote and insertion.startswith(line.quote)
            yield line.quote + insertion if is_taken else insertion


def quoted(text: str, quote: str) -> str:
    """Quote a text for a command line on which this quotation mark is open."""
    if quote == "'":
        return text.replace("'", "'\\''")
    special = _ESCAPED_IN_DOUBLE_QUOTES if quote else _ESCAPED
    safe = "".join(f"\\{one}" if one in special else one for one in text)
    # Within double quotes, only leaving them keeps the history out of it.
    return safe.replace("!", '"\\!"') if quote else safe
