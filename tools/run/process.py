"""One run in a process of its own, with its progress in plain words and a way to stop it."""

from __future__ import annotations

import io
import logging
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

LEASH = Path(__file__).with_name("leash.py")
PYTHON = (sys.executable, "-P", "-X", "faulthandler")
REPORT_EVERY = 5.0  # seconds between a job's progress lines
LAST_WORDS = 30  # lines of standard error that are kept to show what went wrong

# A tqdm bar, as in "training:  17%|█▋    | 2/12 [00:02<00:10,  1.00s/it, loss=3.2]"
BAR = re.compile(
    r"(?:(?P<what>[^%]*?):\s*)?\d+%\|[^|]*\|\s*(?P<done>[\d.,]+\w?)/(?P<total>[\d.,]+\w?)\s*"
    r"\[[\d:]+<(?P<left>[\d:?]+)(?:,[^,\]]*)?(?:,\s*(?P<more>[^\]]*))?\]"
)

log = logging.getLogger("mkdocs.examples")


@dataclass
class Job:
    """A current or imminent run of a task.

    Attributes:
        progress: In words.
        reported: When the progress was last logged.
        seconds: How long its process took; None until that has ended.
        cancelled: Whether it has been stopped.
        process: None until it has been started.
    """

    name: str
    key: str
    cores: int
    progress: str = "starting"
    reported: float = 0.0
    seconds: float | None = None
    cancelled: bool = False
    process: subprocess.Popen[bytes] | None = None

    def report(self, progress: str) -> None:
        """Take note of the progress, and log it now and then."""
        self.progress = progress
        if time.monotonic() - self.reported > REPORT_EVERY:
            self.reported = time.monotonic()
            log.info("%s: %s", self.name, progress)

    def run(
        self,
        command: list[str],
        folder: Path,
        start_in: Path,
        environment: Mapping[str, str],
        on_line: Callable[[str], None],
        on_progress: Callable[[str], None],
    ) -> tuple[int, str]:
        """Run the command until it ends, or until `stop`.

        Args:
            folder: The folder that it may write to, removed with its contents if the runner itself
                is killed.
            start_in: The working directory.
            on_line: Called with each line of standard output.
            on_progress: Called with each state of a progress bar on standard error, in words.

        Returns:
            The exit code, as a shell reports it, and the last lines of standard error.
        """
        began = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-P", str(LEASH), str(folder), *command],
            cwd=start_in,
            env=os.environ | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the runner, which stops its jobs itself
        )
        if self.cancelled:
            self.stop()
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        words: list[str] = []

        def read_errors(stream: io.TextIOWrapper) -> None:
            for line in lines_as_they_come(stream):
                if bar := BAR.search(line):
                    on_progress(bar_in_words(bar))
                else:
                    words.append(line)
                    del words[:-LAST_WORDS]

        # newline="" keeps the carriage returns that end the lines of progress bars.
        errors = io.TextIOWrapper(self.process.stderr, "utf-8", "replace", newline="")
        reader = threading.Thread(target=read_errors, args=(errors,), daemon=True)
        reader.start()
        for line in self.process.stdout:
            on_line(line.decode("utf-8", "replace"))
        code = self.process.wait()
        reader.join()
        self.seconds = time.monotonic() - began
        return code, "\n".join(words)

    def stop(self) -> None:
        """End the run and all processes that it has started. It leaves nothing behind."""
        self.cancelled = True
        if self.process and self.process.stdin:
            self.process.stdin.close()  # releases the leash


@contextmanager
def empty_folder() -> Iterator[Path]:
    """An empty folder for a run, removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="lesson-", ignore_cleanup_errors=True) as folder:
        yield Path(folder).resolve()


def lines_as_they_come(stream: io.TextIOBase) -> Iterator[str]:
    """Lines that end in a newline or a carriage return; empty ones are left out."""
    line = ""
    while character := stream.read(1):
        if character not in "\r\n":
            line += character
            continue
        if line.strip():
            yield line.rstrip()
        line = ""
    if line.strip():
        yield line.rstrip()


def bar_in_words(bar: re.Match[str]) -> str:
    """A progress bar in plain words: "2 of 12, 10 s left, loss=3.2"."""
    what, left, more = bar["what"], bar["left"], bar["more"]
    words = [
        f"{what.strip()}: " if what and what.strip() else "",
        f"{bar['done']} of {bar['total']}",
    ]
    if "?" not in left:
        *hours, minutes, seconds = (int(part) for part in left.split(":"))
        minutes += 60 * hours[0] if hours else 0
        words.append(f", {minutes} min {seconds} s left" if minutes else f", {seconds} s left")
    if more:
        words.append(f", {more.strip()}")
    return "".join(words)


def ending_in_words(code: int) -> str:
    """An exit code in words: "ended with exit code 3 …" or "was ended by SIGSEGV"."""
    try:
        return f"was ended by {signal.Signals(code - 128).name}"
    except ValueError:
        return f"ended with exit code {code} and without a result"
