"""What other processes may see of this one."""

import resource
import sys

_PR_SET_DUMPABLE = 4  # <linux/prctl.h>


def close_to_others() -> None:
    """Have no core file written, and keep this user's other processes out of the memory.

    Programs that are started are as open as ever, but write no core files either.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    close_memory_to_others()


def close_memory_to_others() -> None:
    """Keep this user's other processes out of the memory; what takes our place is as ever.

    After this only root can read it, or the environment, or attach a debugger, and the system
    writes no core file of it (``prctl(2)``, ``PR_SET_DUMPABLE``; on Linux only).
    """
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415 - takes 10 ms, and is for Linux alone

        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, ctypes.c_ulong(0))
