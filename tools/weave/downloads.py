"""What readers take away: scripts, notebooks, what examples leave, the package, its licence."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from tools.run.cells import Problem
from tools.run.store import Store
from tools.weave import wheel
from tools.weave.pages import Lesson

FOLDER = "downloads"
LICENCE = f"{FOLDER}/LICENSE.txt"  # every page links to it: theme/partials/copyright.html


def downloads(lesson: Lesson, store: Store) -> dict[str, Path]:
    """The files to publish beside the pages, each by its path in the site.

    Executed notebooks are not among them: they are made, not copied. A file that cannot be
    published is added to the problems of the lesson.
    """
    found = {LICENCE: wheel.LICENSE}
    taken = {*found, *(f"{FOLDER}/{name}.ipynb" for name in lesson.examples)}
    for name, example in lesson.examples.items():
        files = {f"{name}.py": example.path}
        files |= {file: store.file(example, file) for file in lesson.outcomes[name].result.files}
        for file, path in files.items():
            uri = f"{FOLDER}/{file}"
            if uri in taken:
                message = f'leaves a file "{file}", and the site has one already; rename it'
                lesson.problems.append(Problem(example.path, 1, message))
            else:
                taken.add(uri)
                found[uri] = path
    try:
        package = wheel.build()
        found[f"{FOLDER}/{package.name}"] = package
    except Problem as problem:
        lesson.problems.append(problem)
    return found


def take_away(names: Iterable[str], page: str, files: Iterable[str]) -> str:
    """The end of a page: links to its code as whole scripts, and what these need to run.

    Args:
        names: The examples that the page shows.
        page: Its path under the folder of the pages.
        files: The paths of all that is published.
    """
    up = "../" * page.count("/")

    def link(path: str, text: str = "", download: bool = True) -> str:
        name = text or PurePosixPath(path).name
        return f"[{name}]({up}{path})" + ('{download=""}' if download else "")

    scripts = []
    for name in names:
        script = f"{FOLDER}/{name}.py"
        both = f"{link(script)} or {link(script.replace('.py', '.ipynb'))}"
        notebook = f"examples/{name}.ipynb"
        scripts.append(both if page == notebook else f"{link(notebook, name, False)} ({both})")
    text = f"All code of this page: {', '.join(scripts)}."
    for package in (file for file in files if file.endswith(".whl")):
        name = PurePosixPath(package).name
        text += f' To run it, download {link(package)} and `pip install "{name}[lesson]"`.'
    text += f" You may copy and change it under the {link(LICENCE, 'MIT licence', False)}."
    return f"{text}\n{{: .take-away }}\n"
