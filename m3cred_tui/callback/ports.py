"""The ports Stripe may redirect to."""

CALLBACK_PATH = "/callback"

CALLBACK_PORTS = (27182, 27183, 27184, 27185)
"""Fixed, because Stripe redirects only to registered addresses and a tunnel must name its
port; outside the ranges that Linux and macOS take for outgoing connections."""


def redirect_uri(port: int) -> str:
    """Return the address that Stripe redirects to when m3cred listens on ``port``.

    The literal address, as ``localhost`` may be somebody else's (RFC 8252, section 8.3).
    """
    return f"http://127.0.0.1:{port}{CALLBACK_PATH}"
