"""Certificates of an authority of the test, with any dates, by the openssl command."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, NamedTuple

from tests.e2e.conftest import program

if TYPE_CHECKING:
    from pathlib import Path

_LONG_AGO = "20200101000000Z", "20200102000000Z"
_NOW = "20200101000000Z", "20400101000000Z"
_CONFIGURATION = """
[ca]
default_ca = ours
[ours]
database = {folder}/index.txt
new_certs_dir = {folder}
rand_serial = yes
default_md = sha256
policy = any
copy_extensions = copy
unique_subject = no
[any]
commonName = supplied
"""


class Pair(NamedTuple):
    """A certificate and its key, each in a file."""

    certificate: Path
    key: Path


class Authority:
    """Signs certificates; its own is ``certificate``."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder
        (folder / "index.txt").touch()
        (folder / "ca.cnf").write_text(_CONFIGURATION.format(folder=folder))
        basic = ("-addext", "basicConstraints=critical,CA:TRUE")
        self.certificate, self._key = self._made("authority", "-x509", "-days", "9", *basic)

    def _made(self, name: str, *options: str) -> Pair:
        pair = Pair(self._folder / f"{name}.pem", self._folder / f"{name}.key")
        curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        files = ("-subj", f"/CN={name}", "-keyout", str(pair.key), "-out")
        _openssl("req", *curve, *files, str(pair.certificate), *options)
        return pair

    def signed(
        self, name: str, names: str = "IP:127.0.0.1", *, is_expired: bool = False
    ) -> Pair:
        """Return a new certificate for these names."""
        asked = self._made(name, "-new", "-addext", f"subjectAltName={names}")
        begin, end = _LONG_AGO if is_expired else _NOW
        ours = [self._folder / "ca.cnf", "-cert", self.certificate, "-keyfile", self._key]
        signed = asked.certificate.with_suffix(".signed.pem")
        files = [*map(str, ours), "-in", str(asked.certificate), "-out", str(signed)]
        dates = ("-startdate", begin, "-enddate", end)
        _openssl("ca", "-batch", "-notext", *dates, "-config", *files)
        return Pair(signed, asked.key)


def _openssl(*arguments: str) -> None:
    subprocess.run([program("openssl"), *arguments], check=True, capture_output=True)
