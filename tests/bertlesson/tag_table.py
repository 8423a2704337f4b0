"""Tags and the entities that they spell, which the tests of the pages' scripts read too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

TAGS: dict[str, Any] = json.loads((Path(__file__).parent / "tags.json").read_text("utf-8"))
*READ, REFUSED = TAGS.values()
TABLE = [case for cases in READ for case in cases]  # tags, and the entities that they spell
