"""A network of its own for each process that runs tests.

The ports of the callback server are fixed, so tests that wait on them cannot run at the same
time in one network. In networks of their own they can.
"""

import ctypes
import os
import shutil
import subprocess

_CLONE_NEWNET = 0x40000000  # <linux/sched.h>; os.unshare is there from Python 3.12 on

_outside: list[str] = []


def enter() -> bool:
    """Leave the machine's network for an empty one; return whether that is allowed here.

    It takes root and Linux. The programs that are started from then on are in it, too.
    """
    ip = shutil.which("ip")
    libc = ctypes.CDLL(None)
    if os.geteuid() != 0 or ip is None or not hasattr(libc, "unshare"):
        return False
    left = os.open("/proc/self/ns/net", os.O_RDONLY)
    if libc.unshare(_CLONE_NEWNET) != 0:
        os.close(left)
        return False
    _outside[:] = ["nsenter", f"--net=/proc/{os.getpid()}/fd/{left}"]
    subprocess.run([ip, "link", "set", "lo", "up"], check=True)
    return True


def outside() -> tuple[str, ...]:
    """Return what starts a program in the machine's network, in front of its command."""
    return tuple(_outside)
