"""Wrapped files that are cheap to open: age's format, with any work factor.

pyrage and age choose one that takes seconds. Written from https://age-encryption.org/v1 and
RFC 8439, so that it is a second opinion on the format, too.
"""

import base64
import hashlib
import hmac
import os
import re
from struct import pack, unpack

_LABEL = b"age-encryption.org/v1/scrypt"
_MASK = 0xFFFFFFFF
_ROUNDS = [(0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15)]
_ROUNDS += [(0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)]


def wrapped_lightly(
    plain: bytes, passphrase: str, *, work: int = 1, armour: bool = True
) -> bytes:
    """Return ``plain`` under the passphrase, with 2**work steps of scrypt."""
    file_key, salt, nonce = os.urandom(16), os.urandom(16), os.urandom(16)
    steps = {"n": 2**work, "r": 8, "p": 1}
    key = hashlib.scrypt(passphrase.encode(), salt=_LABEL + salt, dklen=32, **steps)
    stanza = _base64(_sealed(key, bytes(12), file_key))
    header = b"age-encryption.org/v1\n-> scrypt %s %d\n%s\n---" % (_base64(salt), work, stanza)
    proof = hmac.digest(_hkdf(file_key, b"", b"header"), header, "sha256")
    last = bytes(11) + b"\1"
    payload = _sealed(_hkdf(file_key, nonce, b"payload"), last, plain)
    file = header + b" " + _base64(proof) + b"\n" + nonce + payload
    return armoured(file) if armour else file


def asking_for(work: int, file: bytes) -> bytes:
    """Return an unarmoured file as if it took 2**work steps to open."""
    return re.sub(rb"(-> scrypt \S+) \d+", rb"\1 %d" % work, file, count=1)


def armoured(file: bytes) -> bytes:
    text = base64.b64encode(file).decode("ascii")
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    begin, end = (f"-----{word} AGE ENCRYPTED FILE-----" for word in ("BEGIN", "END"))
    return "\n".join([begin, *lines, end, ""]).encode("ascii")


def _base64(data: bytes) -> bytes:
    return base64.b64encode(data).rstrip(b"=")


def _hkdf(key: bytes, salt: bytes, info: bytes) -> bytes:
    extracted = hmac.digest(salt or bytes(32), key, "sha256")
    return hmac.digest(extracted, info + b"\1", "sha256")


def _sealed(key: bytes, nonce: bytes, plain: bytes) -> bytes:
    """ChaCha20-Poly1305 without additional data (RFC 8439 section 2.8)."""
    blocks = b"".join(_block(key, at, nonce) for at in range(1, 2 + len(plain) // 64))
    text = bytes(one ^ other for one, other in zip(plain, blocks, strict=False))
    padded = text + bytes(-len(text) % 16) + pack("<QQ", 0, len(text))
    return text + _poly1305(_block(key, 0, nonce)[:32], padded)


def _block(key: bytes, counter: int, nonce: bytes) -> bytes:
    start = unpack("<16I", b"expand 32-byte k" + key + pack("<I", counter) + nonce)
    state = list(start)
    for _ in range(10):
        for a, b, c, d in _ROUNDS:
            for one, other, to, turn in (
                (a, b, d, 16),
                (c, d, b, 12),
                (a, b, d, 8),
                (c, d, b, 7),
            ):
                state[one] = (state[one] + state[other]) & _MASK
                mixed = state[to] ^ state[one]
                state[to] = (mixed << turn | mixed >> 32 - turn) & _MASK
    return pack(
        "<16I", *((one + other) & _MASK for one, other in zip(state, start, strict=True))
    )


def _poly1305(key: bytes, text: bytes) -> bytes:
    factor = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    total = 0
    for at in range(0, len(text), 16):
        piece = text[at : at + 16] + b"\1"
        total = (total + int.from_bytes(piece, "little")) * factor % (2**130 - 5)
    return ((total + int.from_bytes(key[16:], "little")) % 2**128).to_bytes(16, "little")
