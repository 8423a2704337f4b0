"""Run a command that ends when its starter does, however that ends: no run is left behind.

    python leash.py FOLDER COMMAND...

The starter holds the other end of standard input. It closes it to stop the command; the system
closes it when the starter is killed. Then the command and all that it has started are killed, and
the folder that they worked in is removed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading


def main(folder: str, command: list[str]) -> int:
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    stopped = threading.Event()

    def kill() -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)

    def wait_for_starter() -> None:
        os.read(0, 1)
        stopped.set()
        kill()

    threading.Thread(target=wait_for_starter, daemon=True).start()
    code = child.wait()
    kill()  # workers that it has left behind
    if stopped.is_set():
        shutil.rmtree(folder, ignore_errors=True)
    return code if code >= 0 else 128 - code  # as shells say that a signal ended it


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
