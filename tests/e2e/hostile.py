"""Texts that would drive, confuse or break a program that shows them, grouped by kind.

Each holds a canary word of its own, by which it is found again on the screen: in front, or
where ``@@`` stands.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

MEGABYTE = 1 << 20
_CANARY = "@@"


class Hostile(NamedTuple):
    """One text, what it attacks, and the word in it that has to be seen."""

    kind: str
    text: str
    canary: str


def _inside(pieces: Iterable[str]) -> list[str]:
    """Put each piece into the middle of a word."""
    return [f"a{piece}b" for piece in pieces]


def _escaped(*rests: str) -> list[str]:
    return [f"\x1b{rest}" for rest in rests]


_SEQUENCES = {
    "C0": _inside(map(chr, (*range(0x20), 0x7F))),
    "C1": _inside(f"{chr(code)}c{chr(code + 16)}" for code in range(0x80, 0x90)),
    "CSI": [
        *_escaped("[2J", "[3J", "[H", "[31m", "[8m", "[0K", "[99A", "[99L", "[99S", "[1000b"),
        *_escaped("[3;5r", "[5i", "[!p", "[s", "[1 q", "[20h", "[>4;2m", "[?1049l", "[?25l"),
        *_escaped("[?1000h", "[?2004l", "[?5h", "[?2026h", "[8;1;1t", "[1;1H@@", "[", "", "c"),
        *_escaped("[;;;;;;;", "(0lqqk", "#8", "7\x1b8", "=", "M\x1bD\x1bE", "%G"),
        "\x9b2J", "\x9b31mred\x9b0m", "\x9b1;1H@@",
    ],
    "queries": [
        *_escaped("[6n", "[5n", "[c", "[>c", "[=c", "[>q", "[?u", "[?1$p", "[18t", "[21t"),
        *_escaped("[1;1;1;1;1;1*y", "Z", "]11;?\x1b\\", "]4;1;?\x07", "]52;c;?\x07"),
        *_escaped('P$q"p\x1b\\', "P+q544e\x1b\\", "_Gi=1,a=q;\x1b\\"), "\x9b6n", "\x9bc",
    ],
    "OSC": [
        *_escaped("]0;owned\x07", "]2;owned\x1b\\", "]52;c;b3duZWQ=\x07", "]52;p;eA==\x1b\\"),
        *_escaped("]8;;https://evil.example\x1b\\x\x1b]8;;\x1b\\", "]8;;file:///x\x07x"),
        *_escaped("]7;file:///tmp\x07", "]9;hi\x07", "]777;notify;hi;you\x07", "]133;A\x07"),
        *_escaped("]10;#000000\x07", "]104\x07", "]1337;File=inline=1:AAAA\x07"),
        *_escaped("]22;wait\x07", "]99;;hi\x1b\\", "]0;never ended"),
        "\x9d0;owned\x9c", "\x9d52;c;b3duZWQ=\x07",
    ],
    "other strings": [
        *_escaped("Pq#0;2;0;0;0#0~~\x1b\\", "Ptmux;\x1b\x1b]0;owned\x07\x1b\\", "Pno end"),
        *_escaped("_Ga=T;AAAA\x1b\\", "^owned\x1b\\", "Xowned\x1b\\", "kowned\x1b\\"),
        "\x90q~~\x9c", "\x9fowned\x9c", "\x9eowned\x9c", "\x98owned\x9c",
    ],
    "keys": [
        "\x1b[201~q", "\x1b[200~", "\x1b[A\x1b[B\x1bOP", "\x03\x04\x11\x13\x1a\x1c", "\t\t|",
        "\x08\x08\x08\x08\x7f\x7f\x15\x17", "\x07\x07\x07",
    ],
}  # fmt: skip

_UNSEEN = {
    "direction": [
        *_inside("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"),
        "\u202egpj.exe", "\u202e@@\u202c", "\u2067\u2066txt\u2069.cod", "\u202b" * 70,
    ],
    "zero width": [
        *_inside("\u200b\u200c\u200d\u2060\u2061\u2064\u2065\ufeff\u00ad\u034f\u180e\u206a"),
        *_inside("\u206f\ufff9\ufffb\U0001d173"), "\ufeff@@", "\u200b" * 70,
    ],
    "tags": [
        *_inside("\U000e0001\U000e0041\U000e007f"),
        "".join(chr(0xE0000 + ord(one)) for one in "approve everything"),
    ],
    "selectors": [
        *_inside("\u180b\u180f\ufe00\ufe0e\ufe0f\U000e0100\U000e01ef"), "#\ufe0f" * 9,
    ],
    "lines": [
        *_inside(("\r\n", "\x0b\x0c", "\x1c\x1d\x1e", "\u2028", "\u2029", "\n\n\n\n")),
        "\n@@", "\n", "\r✗ damaged: it is", "\n2026-01-01" * 15, "\x85@@\x85",
    ],
    "spaces": [
        *_inside("\u00a0\u1680\u2000\u2003\u2007\u200a\u202f\u205f\u3000"),
        "   @@   ", " " * 300 + "x", "\u3000@@\u3000",
    ],
    "fillers": _inside("\u115f\u1160\u3164\uffa0\u2800\u17b4\u17b5"),
    "private use": _inside("\ue000\uf8ff\U000f0000\U0010fffd"),
    "unassigned": _inside("\u0378\u2fe0\ufdd0\ufffe\uffff\U0001fffe\U000e0fff\U0010ffff"),
    "surrogates": [
        *_inside("\ud800\udbff\udc00\udfff"), "\ude00\ud83d", "\udc9b31m", "\udcc0\udc9b",
        "\udced\udca0\udc80", "\ud83d@@\ude00",
    ],
}  # fmt: skip

_SHAPES = {
    "marks": [
        "e\u0301" * 20, "a" + "\u0301" * 60, "a" + "\u0316\u0300\u0489" * 20, "\u0301@@",
        "\u0e01" + "\u0e47" * 40, "a" + "\u20dd" * 30, "\u20e0@@", "\u0903@@", "\u1161@@",
        " \u0301", "\u0915" + "\u093e" * 60, "\u1100" + "\u1161" * 60, "\u1112\u119e\u11ab",
        "\u05d0" + "\u05b0\u05b1\u05b2" * 9, "\u0f40" + "\u0f71\u0f72" * 20, "a\u20e3",
        "\u0b95\u0bcd\u0bb7\u0bc8" * 5, "\u0928\u092e\u0938\u094d\u0924\u0947",
        "\u1000\u103c\u103d\u1031\u102c\u103a", "x\u1ab0\u1dc0\u20d0\ufe20", "\u3099@@",
    ],
    "emoji": [
        "\U0001f680" * 20, "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f3fb@@",
        "\U0001f44d\U0001f3fd", "\U0001f1ec\U0001f1e7", "\U0001f1ec" * 9, "1\ufe0f\u20e3",
        "\u2764\ufe0f", "\u263a\ufe0e", "\U0001faf1", "\u231a\u26a1\u2705", "\u00a9\u2122",
        "\U0001f3f4\U000e0067\U000e0062\U000e007f", "\U0001f3f3\ufe0f\u200d\U0001f308",
    ],
    "wide": [
        "\u6f22\u5b57" * 20, "x" + "\u6f22" * 63, "\uff21\uff43\uff4d\uff45", "\u3042\u3099",
        "\uff8a\uff9f\uff76\uff9e", "\uc548\ub155" * 9, "\u2e3b\u2e3a", "\ufdfd", "\U00012031",
        "\u32ff\u337f", "\u2500\u2502\u250c\u258a\u258e\u2588" * 5, "\u2713 authenticated",
        "\u25cf\u25cb", "\u2026", "\ufffd" * 9,
    ],
    "right to left": [
        "\u05e9\u05dc\u05d5\u05dd", "\u0645\u0631\u062d\u0628\u0627", "\u05e9\u05dc 12 GBP 34",
        "\u0661\u0662\u0663", "(\u05d0)", "\u0710\u0712", "\u0780\u07a6", "\u07ca",
        "\ufe8d\ufedf", "\u05d0@@\u05d1", "\U0001e900", "\U00010800",
    ],
    "digits": [
        "\u0967\u0968", "\uff11\uff12", "\u2460\u00b2\u00b3\u00bd", "\U0001d7d9", "\u2167",
    ],
    "look-alikes": [
        "\u0410\u0441me", "\u0391cm\u0435", "\u2024\u2025", "\u2215\u2044\uff0f", "\u01c3",
        "\u037e", "\u0131\u0130i", "\u212a\u212b\u2126", "\u017f\ufb01\ufb03", "\u00df\u1e9e",
        "\u03c3\u03c2", "\u01c5\u0149",
    ],
    "long": [
        "x" * 58, "x" * 59, "x" * 200, "\u6f22" * 10_000, "x " * 5_000, "\x1b" * 10_000,
        "a" + "\u0301\u0316" * 5_000, "\x1b[31m" * 10_000, " " * MEGABYTE + "x",
    ],
}  # fmt: skip

_WORDS = {
    "markup": [
        "[/]", "[/x]", "[red]x[/red]", "[@click=app.quit()]x[/]", "[@click=screen.dismiss]x",
        "[link=https://evil.example]x[/link]", "[link='file:///etc']x", "[bold", "[", "]",
        "[[", "\\[", "\\", "[]", "[prod]", "[$error]x", "[on red]x", "$HOME $text-error",
        "[b]" * 20, "[/b]" * 20, "[red][/green]", "[#ff0000]", ":smile: :warning:", "{x}",
        "{0}", "{}", "{{", "{0.__class__.__mro__}", "%s%s%s%n", "%(x)s", "${jndi:ldap://x}",
        "{{7*7}}", "<%= 7 %>", "`x`", "**x** _y_ ~~z~~", "# x", "&lt;&#27;[2J", "\\x1b[2J",
        "\\033[2J", "\\u001b[2J", "\\e[2J", "^[[2J", "\\N{ESCAPE}", "+AFsAMgBK-", "=1B[2J",
    ],
    "shell": [
        "$(reboot)", "`reboot`", "; rm -rf /", "| sh", "&& x", "> /etc/x", "$IFS", "~", "*",
        "!!", "--help", "'", '"', "'\"'\"'", "\\\n", "<(x)",
    ],
    "paths": [
        "../@@", "../../../../etc/passwd", "/etc/passwd", "C:\\@@", "\\\\evil\\@@", "CON",
        "NUL.txt", ".lock", ".@@", "00000000-0000-7000-8000-000000000000.json", "x.tmp",
        "identity.txt", "file:///etc/passwd", "..", "~/@@", "/dev/tty", "%2e%2e%2f",
    ],
    "data": [
        '","id":"x', '"}', "null", "NaN", "1e999", '\\"', "\\u0000", '{"__proto__":1}', "]]>",
        "<!--", "-----BEGIN AGE ENCRYPTED FILE-----", "---\nx: y", "!!python/object:os.system",
        "=cmd|' /C calc'!A0", "@SUM(1)", "<script>alert(1)</script>", "javascript:x", "&amp;",
        "<img src=x onerror=x>", "' OR 1=1 --", "'; DROP TABLE x; --", "\r\nSet-Cookie: x",
        "\r\n\r\n<html>", "?code=x&state=y", "#", "&error=x", "%00",
    ],
}  # fmt: skip

_KINDS: Mapping[str, Sequence[str]] = {**_SEQUENCES, **_UNSEEN, **_SHAPES, **_WORDS}

TWINS: Mapping[str, Sequence[str]] = {
    "Caf\u00e9 Z\u00fcrich": [
        "Cafe\u0301 Zu\u0308rich", "CAF\u00c9 Z\u00dcRICH", "  caf\u00e9   z\u00fcrich ",
        "Caf\u00e9\u00a0Z\u00fcrich", "Caf\u00e9\u3000Z\u00fcrich",
        "\uff23\uff41\uff46\u00e9 \uff3a\u00fcrich",
    ],
    "Stra\u00dfe Office": [
        "STRASSE OFFICE", "Stra\u1e9ee O\ufb03ce", "\u017ftrasse office", "STRASSE o\ufb00ice",
    ],
    "\u212alaus \u212bngstr\u00f6m": ["Klaus \u00c5ngstr\u00f6m", "klaus a\u030angstro\u0308m"],
    "\uc548\ub155": ["\u110b\u1161\u11ab\u1102\u1167\u11bc"],
    "\u03a3\u03af\u03c3\u03c5\u03c6\u03bf\u03c2": [
        "\u03a3\u038a\u03a3\u03a5\u03a6\u039f\u03a3",
    ],
}  # fmt: skip
"""Names, and what a person would take for each of them."""


def _listed() -> Iterable[Hostile]:
    pieces = [(kind, piece) for kind, pieces in _KINDS.items() for piece in pieces]
    for number, (kind, piece) in enumerate(pieces):
        canary = f"Zq{number:03}x"
        text = piece if _CANARY in piece else _CANARY + piece
        yield Hostile(kind, text.replace(_CANARY, canary), canary)


HOSTILE: Sequence[Hostile] = list(_listed())

ONE_OF_EACH_KIND: Sequence[Hostile] = [
    next(one for one in HOSTILE if one.kind == kind) for kind in _KINDS
]

_EVERY = os.environ.get("M3CRED_HOSTILE") == "all"
TRIED: Sequence[Hostile] = [
    one
    for number, one in enumerate(HOSTILE)
    if _EVERY or number % 8 == 1 or one in ONE_OF_EACH_KIND
]
"""Those that go through a whole program in each run of the tests; all of them take minutes."""
