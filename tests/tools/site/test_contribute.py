"""Ways from a page to its source and to an issue about it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from bs4 import BeautifulSoup
from mkdocs.exceptions import PluginError

from tests.conftest import ROOT, Project
from tools.site.contribute import (
    FORM,
    checked,
    edit_url,
    report_url,
    version_of,
    with_links,
)

HOME = "https://github.com/owner/name"
CLAIM = (
    '<li class="claim checked" id="claim-mix-2"><span class="sign">✓</span> '
    "<code>x</code> &amp; y <em>stay</em> <code>x = 1 &gt; 0</code></li>"
)


def test_a_page_and_a_notebook_are_edited_where_they_are_written() -> None:
    assert edit_url(HOME, "lesson/masking.md") == f"{HOME}/edit/main/docs/lesson/masking.md"
    assert edit_url(HOME, "examples/nsp.ipynb") == f"{HOME}/edit/main/examples/nsp.py"
    assert edit_url(HOME, "a b.md") == f"{HOME}/edit/main/docs/a%20b.md"


def test_an_issue_has_the_fields_of_its_form() -> None:
    form = yaml.safe_load((ROOT / ".github" / "ISSUE_TEMPLATE" / FORM).read_text("utf-8"))
    fields = {field["id"] for field in form["body"] if "id" in field}
    url = urlsplit(report_url(HOME, "a.html#b", "0.1.0", "x & y = “z”?"))
    assert url.path == "/owner/name/issues/new"
    given = {key: value for key, (value,) in parse_qs(url.query).items()}
    assert given == {
        "template": FORM,
        "page": "a.html#b",
        "version": "0.1.0",
        "claim": "x & y = “z”?",
    }
    assert set(given) - {"template"} < fields
    assert "claim=" not in report_url(HOME, "a.html", "0.1.0")


def test_each_claim_has_a_link_with_its_words() -> None:
    made = with_links(f"<ul>{CLAIM}{CLAIM.replace('mix-2', 'mix-3')}</ul>", HOME, "p.html", "1")
    links = BeautifulSoup(made, "html.parser").select("li.claim > a.report")
    queries = [parse_qs(urlsplit(str(link["href"])).query) for link in links]
    assert [query["page"] for query in queries] == [["p.html#claim-mix-2"], ["p.html#claim-mix-3"]]
    assert queries[0]["claim"] == ["x & y stay"]
    assert with_links("<li>no claim</li>", HOME, "p.html", "1") == "<li>no claim</li>"


def test_the_version_has_the_commit_if_it_is_one() -> None:
    plain = version_of("")
    assert version_of("main") == plain
    assert version_of("0123456789" * 4) == f"{plain}, commit 012345678901"


@pytest.mark.parametrize("given", ["github.com/owner/name", "https://github.com/", "git@x:o/n"])
def test_another_address_is_refused(given: str) -> None:
    with pytest.raises(PluginError, match=r"REPO_URL is .* expected one such as https://github"):
        checked(given)


def test_a_slash_at_the_end_of_the_address_is_dropped() -> None:
    assert checked(f"{HOME}/") == HOME
    assert checked("") == ""


@pytest.mark.slow
def test_links_are_there_where_the_address_is_known(good: Project, tmp_path: Path) -> None:
    def built(name: str, **more: str) -> BeautifulSoup:
        command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-q", "-d", tmp_path / name]
        environment = {k: v for k, v in good.environment.items() if k != "REPO_URL"} | more
        subprocess.run(command, cwd=good.folder, env=environment, check=True)
        return BeautifulSoup((tmp_path / name / "page.html").read_text("utf-8"), "html.parser")

    without = built("without")
    assert not without.select(".contribute, .report")
    with_address = built("with", REPO_URL=HOME, GITHUB_SHA="a" * 40)
    edit, report = with_address.select(".contribute a")
    assert edit["href"] == f"{HOME}/edit/main/docs/page.md"
    assert edit.text == "Edit this page"
    assert report.text == "Something is wrong here"
    query = parse_qs(urlsplit(str(report["href"])).query)
    assert query["page"] == ["page.html"]
    assert query["version"][0].endswith(", commit aaaaaaaaaaaa")
    claims = with_address.select("li.claim")
    assert claims
    assert len(with_address.select("li.claim > a.report")) == len(claims)
    assert not built("again").select(".contribute, .report")
