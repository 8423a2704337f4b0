"""Run Lighthouse's phone audit on every page of the reading path: `make lighthouse`.

Serves the built site as described in the README, with gzip and the policy. Prints the median of
each score over a few runs, and exits with 1 if any is below its bar. Needs node and, the first
time, the network, because npx downloads Lighthouse. Set LIGHTHOUSE to use another command.

    python benchmarks/lighthouse.py site [--runs 3] [page.html ...]
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.browser.conftest import Host  # noqa: E402

BARS = {"performance": 95, "accessibility": 100, "best-practices": 100, "seo": 100}
COMMAND = os.environ.get("LIGHTHOUSE", "npx --yes --ignore-scripts lighthouse@12")
PATH = ("index.html", "lesson/*.html", "summary.html", "practice/*.html")
ROW = "{:<28}" + "{:>16}" * len(BARS)


def audit(url: str, chromium: str) -> dict[str, Any]:
    """The report of one Lighthouse run."""
    settings = [f"--only-categories={','.join(BARS)}", "--output=json", "--quiet"]
    flags = "--chrome-flags=--headless=new --no-sandbox --disable-gpu"
    done = subprocess.run(
        [*shlex.split(COMMAND), url, *settings, flags],
        env=os.environ | {"CHROME_PATH": chromium},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        sys.exit(f"{COMMAND} failed on {url}:\n{done.stderr}")
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def scores(report: dict[str, Any]) -> dict[str, float]:
    return {name: 100 * (report["categories"][name]["score"] or 0) for name in BARS}


def findings(report: dict[str, Any]) -> set[str]:
    """What keeps the scores other than performance from 100."""
    audits = report["audits"]
    return {
        f"{name}: {audits[item['id']]['title']}"
        for name, category in report["categories"].items()
        for item in category["auditRefs"]
        if name != "performance" and item["weight"] and audits[item["id"]]["score"] == 0
    }


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("site", type=Path, help="the folder that mkdocs build has filled")
    options.add_argument("pages", nargs="*", help="such as lesson/nsp.html; default: the path")
    options.add_argument("--runs", type=int, default=3)
    chosen = options.parse_intermixed_args()
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if not chromium:
        sys.exit("no Chromium found: on Debian and Ubuntu, apt install chromium")
    site = chosen.site.resolve()
    found = [str(page.relative_to(site)) for part in PATH for page in sorted(site.glob(part))]
    host, low = Host(site), False
    print(ROW.format("", *BARS), flush=True)
    for page in chosen.pages or found:
        reports = [audit(host.url(page), chromium) for _ in range(chosen.runs)]
        runs = [scores(report) for report in reports]
        medians = {name: statistics.median(run[name] for run in runs) for name in BARS}
        below = {name for name, bar in BARS.items() if medians[name] < bar}
        low |= bool(below)
        shown = [f"{medians[name]:.0f}{' (low)' if name in below else ''}" for name in BARS]
        print(ROW.format(page, *shown), flush=True)
        for finding in sorted(set.union(*map(findings, reports))):
            print(f"    {finding}", flush=True)
    host.stop()
    return int(low)


if __name__ == "__main__":
    sys.exit(main())
