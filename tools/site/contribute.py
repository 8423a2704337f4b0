"""Ways from a page to its source and to an issue about it, where the repository's address is known.

A hook of mkdocs. REPO_URL in the environment names the address; without it pages have no links.
mkdocs' own `repo_url` is left alone, since Material asks GitHub for the numbers of stars then.
"""

from __future__ import annotations

import html
import os
import re
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.pages import Page

PROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"
BRANCH = "main"
FORM = "wrong.yml"  # in .github/ISSUE_TEMPLATE, whose fields have these names
LINK = '<a class="report"'
CLAIM = re.compile(r'(<li class="claim[^>]* id="(claim-[^"]+)">)(.*?)(</li>)', re.DOTALL)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    given = config.extra.get("repository") or os.environ.get("REPO_URL", "")
    config.extra["repository"] = checked(str(given))
    return config


def on_page_context(context: Any, page: Page, config: MkDocsConfig, nav: Any) -> None:
    if not (repository := config.extra["repository"]):
        return
    version = version_of(os.environ.get("GITHUB_SHA") or str(config.extra.get("ref", "")))
    address = page.canonical_url or page.url
    context["edit_url"] = edit_url(repository, page.file.src_uri)
    context["report_url"] = report_url(repository, address, version)
    if LINK not in (page.content or ""):  # while serving, a page is used again
        page.content = with_links(page.content or "", repository, address, version)


def checked(repository: str) -> str:
    """The address without a slash at its end; "" stays.

    Raises:
        PluginError: It is no address of a page.
    """
    parts = urlsplit(repository)
    if repository and (parts.scheme not in ("http", "https") or not parts.path.strip("/")):
        message = f"REPO_URL is {repository!r}; expected one such as https://github.com/OWNER/NAME"
        raise PluginError(message)
    return repository.rstrip("/")


def edit_url(repository: str, uri: str) -> str:
    """Where a page is edited: a notebook's page is its script."""
    path = f"{uri.removesuffix('.ipynb')}.py" if uri.endswith(".ipynb") else f"docs/{uri}"
    return f"{repository}/edit/{BRANCH}/{quote(path)}"


def report_url(repository: str, page: str, version: str, claim: str = "") -> str:
    """A new issue, with the fields of its form filled in."""
    fields = {"template": FORM, "page": page, "version": version}
    if claim:
        fields["claim"] = claim
    return f"{repository}/issues/new?{urlencode(fields)}"


def version_of(commit: str) -> str:
    """The version of the package, with the commit if it is known."""
    project = tomllib.loads(PROJECT.read_text("utf-8"))["project"]
    known = re.fullmatch("[0-9a-f]{40}", commit)
    return f"{project['version']}, commit {commit[:12]}" if known else str(project["version"])


def with_links(content: str, repository: str, page: str, version: str) -> str:
    """The content with a link at each claim."""

    def linked(found: re.Match[str]) -> str:
        opening, anchor, inside, closing = found.groups()
        url = report_url(repository, f"{page}#{anchor}", version, _sentence(inside))
        return (
            f'{opening}{inside} {LINK} href="{html.escape(url)}" '
            f'aria-label="Something is wrong with this claim">wrong?</a>{closing}'
        )

    return CLAIM.sub(linked, content)


def _sentence(inside: str) -> str:
    """The words of a claim: what stands between its sign and its values."""
    words = inside.partition("</span>")[2].rpartition("<code>")[0]
    return html.unescape(re.sub("<[^>]+>", "", words)).strip()
