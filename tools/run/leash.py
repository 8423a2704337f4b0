"""Run a command that ends whenever its starter ends, so that no process is left behind.

    python leash.py FOLDER COMMAND...

The starter holds the other end of standard input. It closes it to stop the command, and the system
closes it if the starter is killed. Then the command and everything it has started are killed, and
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
    kill()  # any workers left behind
    if stopped.is_set():
        shutil.rmtree(folder, ignore_errors=True)
    return code if code >= 0 else 128 - code  # a shell's code for death by a signal


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
