"""Read back by a program that reads QR codes from pictures."""

import subprocess
from pathlib import Path

import pytest

from m3cred_tui.browser.terminal import QrCode, draws_blocks, qr_code
from tests.e2e.conftest import program

URL = (
    "https://connect.stripe.com/oauth/authorize?response_type=code&client_id="
    "ca_FkyHCg7X8mlvCUdMDao4mMxagUfhIwXb&scope=read_write&redirect_uri="
    "http%3A%2F%2F127.0.0.1%3A27182%2Fcallback&state=Zx0-_" + "aB3" * 13
)
_UPPER, _LOWER = "▀█", "▄█"
_DOTS = 4


def picture(code: QrCode) -> bytes:
    """Draw it as a terminal would: black on white, a character twice as high as wide."""
    rows = []
    for line in code.lines:
        for half in (_UPPER, _LOWER):
            row = b"".join((b"\0" if one in half else b"\xff") * _DOTS for one in line)
            rows += [row] * _DOTS
    return b"P5 %d %d 255\n" % (code.columns * _DOTS, len(rows)) + b"".join(rows)


@pytest.mark.parametrize("url", ["http://127.0.0.1:27182/go/x", URL, URL + "x" * 400])
def test_a_reader_reads_the_url(tmp_path: Path, url: str) -> None:
    file = tmp_path / "code.pgm"
    file.write_bytes(picture(qr_code(url)))
    command = [
        program("zbarimg"),
        "--quiet",
        "--raw",
        "-Sdisable",
        "-Sqrcode.enable",
        str(file),
    ]
    assert subprocess.check_output(command, text=True) == f"{url}\n"


def test_its_size_includes_the_light_margin() -> None:
    code = qr_code(URL)
    assert (code.columns, code.rows) == (61, 31)
    assert {len(line) for line in code.lines} == {61}
    assert {*code.lines[0], *code.lines[1], *code.lines[-1]} == {" "}
    assert all(line[:4] == line[-4:] == " " * 4 for line in code.lines)


@pytest.mark.parametrize(
    ("environ", "does"),
    [
        ({"LANG": "en_GB.UTF-8"}, True),
        ({"LANG": "C.UTF-8"}, True),
        ({"LC_CTYPE": "UTF-8", "LANG": ""}, True),
        ({"LC_CTYPE": "C.UTF-8", "LANG": "de_DE.utf8"}, True),
        ({"LC_ALL": "C.UTF-8", "LANG": "C"}, True),
        ({}, False),
        ({"LANG": "C"}, False),
        ({"LANG": "de_DE.ISO-8859-1"}, False),
        ({"LC_ALL": "C", "LANG": "en_GB.UTF-8"}, False),
        # What Python makes of LANG=C in its own environment.
        ({"LC_CTYPE": "C.UTF-8", "LANG": "C"}, False),
        ({"LC_CTYPE": "C.UTF-8"}, False),
    ],
)
def test_blocks_are_drawn_only_where_more_than_ascii_is_shown(
    environ: dict[str, str], does: bool
) -> None:
    assert draws_blocks(environ) is does
