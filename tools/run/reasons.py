"""Why something runs again: what has changed in the parts that its key is made from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

SHOWN = 3  # so many changes are named
DIGEST = "sha256-"


def digest(text: str) -> str:
    """What is stored of a part that is too long to be stored as it is."""
    return DIGEST + hashlib.sha256(text.encode()).hexdigest()[:16]


def why(before: Mapping[str, str] | None, parts: Mapping[str, str]) -> str:
    """Why something runs, as the end of a sentence.

    Args:
        before: The parts when it last ran, by name: digests, or short texts such as versions.
            None if it has not run before.
        parts: The parts as they are now.

    >>> why({"numpy": "2.4.0"}, {"numpy": "2.4.1", "heads.py": digest("x = 1")})
    'runs again: numpy 2.4.0 → 2.4.1, heads.py was added'
    >>> why({"numpy": "2.4.0"}, {"numpy": "2.4.0"})
    'runs again: its result is missing or damaged'
    """
    if before is None:
        return "runs for the first time"
    changes = [_change(name, before.get(name), parts.get(name)) for name in {**parts, **before}]
    found = [change for change in changes if change]
    if not found:
        same = [*before] == [*parts]
        found = ["its result is missing or damaged" if same else "its cells are in another order"]
    more = f" and {len(found) - SHOWN} more changes" if len(found) > SHOWN else ""
    return f"runs again: {', '.join(found[:SHOWN])}{more}"


def _change(name: str, before: str | None, now: str | None) -> str:
    if before == now:
        return ""
    if before is None or now is None:
        return f"{name} was {'added' if before is None else 'removed'}"
    return f"{name} changed" if now.startswith(DIGEST) else f"{name} {before} → {now}"
