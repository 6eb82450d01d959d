"""A web server of the user's: a directory, served by HTTPS on loopback."""

import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.e2e.conftest import program


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the library's name
        pass


@contextmanager
def https_server(directory: Path, keys: Path) -> Iterator[str]:
    """Serve ``directory`` with a certificate of its own; yield the address of its root."""
    key, certificate = keys / "key.pem", keys / "certificate.pem"
    made = (program("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1")
    place = ("-keyout", key, "-out", certificate, "-subj", "/CN=localhost")
    subprocess.run([*made, *place], check=True, capture_output=True)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(directory)))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"https://localhost:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
