"""``m3cred completion``: completion for bash, zsh and fish."""

import sys
from argparse import Namespace
from collections.abc import Iterator

from m3cred_tui.cli.completing import answer, insertions, taken_apart
from m3cred_tui.cli.ending import DONE

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
    data = sys.stdin.buffer.read().decode(errors="surrogateescape")
    given = data.removesuffix("\0").split("\0")
    if shell == "bash":
        typed, replaced = given
        line = taken_apart(typed)
        kind, candidates = answer(line.words[1:])
        yield kind
        yield from insertions((one.value for one in candidates), line, replaced)
    else:
        kind, candidates = answer(given)
        yield kind
        yield from (f"{value}\t{told}" for value, told in candidates)
