"""The settings of the site, `mkdocs.yml`, for those who do not have mkdocs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from yaml_env_tag import construct_env_tag  # type: ignore[import-untyped]


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Knows `!ENV`, with which a setting takes its value from the environment."""


_Loader.add_constructor("!ENV", construct_env_tag)


def read_settings(path: Path) -> dict[str, Any]:
    """The settings in this file.

    Raises:
        yaml.YAMLError: It is not YAML, or has other tags than ``!ENV``.
    """
    read = yaml.load(path.read_text("utf-8"), _Loader)
    return read if isinstance(read, dict) else {}
