"""Protect this process from other processes."""

import resource
import sys

_PR_SET_DUMPABLE = 4  # <linux/prctl.h>


def close_to_others() -> None:
    """Disable core files, and protect the memory from this user's other processes.

    Child processes are not protected, but write no core files either.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    close_memory_to_others()


def close_memory_to_others() -> None:
    """Protect the memory from this user's other processes, until another program is executed.

    Only root can then read it or the environment, or attach a debugger, and the system writes
    no core file of it (``prctl(2)``, ``PR_SET_DUMPABLE``; Linux only).
    """
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415 - takes 10 ms, and only Linux needs it

        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, ctypes.c_ulong(0))
