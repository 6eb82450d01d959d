"""Kinds of arguments that several commands take; what is wrong is told harmlessly."""

import argparse

_LARGEST_PORT = 65_535


def port_or_any(text: str) -> int:
    """Return a port; 0 stands for any that is free."""
    if not _is_number(text) or int(text) > _LARGEST_PORT:
        raise not_a(text, "a port from 0 to 65535")
    return int(text)


def descriptor(text: str) -> int:
    """Return a file descriptor."""
    if not _is_number(text):
        raise not_a(text, "a file descriptor")
    return int(text)


def not_a(text: str, wanted: str) -> argparse.ArgumentTypeError:
    """Return what argparse tells of an argument that is not what is wanted."""
    return argparse.ArgumentTypeError(f"{text[:40]!a} is not {wanted}")


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= len(str(_LARGEST_PORT))
