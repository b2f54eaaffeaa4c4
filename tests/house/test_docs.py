# SPDX-License-Identifier: Apache-2.0
"""The documents are held true: links lead somewhere, the contents are complete, blocks parse, and examples do what the page shows.

A page's `console` blocks run in order, in a folder that holds `examples` and `docs`: every `$ clearwell VERB ...` whose verb needs no
server and which has no placeholder (FILE, <id>, ...). What the page shows below a command is compared line by line with the beginning
of what is printed; `...` stands for any lines. `# exit N` after a command names its exit code.
"""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from house.markdown import Command, Fence, anchors, commands, differs, fences, links
from house.tree import ROOT, files, named

PAGES = tuple(path for path in files(".md") if not named(path).startswith(("tests/", "changelog.d/")))
DOCS = tuple(path for path in PAGES if named(path).startswith("docs/"))


def link_problems(page: Path, text: str) -> list[str]:
    """Relative links that lead nowhere, or to a heading that is not there."""
    found = []
    for target in links(text):
        if re.match(r"[a-z][a-z0-9+.-]*:", target):
            continue
        place, _, anchor = target.partition("#")
        goal = (page.parent / place).resolve() if place else page.resolve()
        if not goal.is_relative_to(ROOT) or not goal.exists():
            found.append(f"{page.name}: {target} leads nowhere")
        elif anchor and goal.suffix == ".md" and anchor not in anchors(text if not place else goal.read_text(encoding="utf-8")):
            found.append(f"{page.name}: {target}: no such heading")
    return found


def block_problems(page: str, fence: Fence) -> list[str]:
    """A block that says it is JSON or TOML is, and one that shows a file shows what stands there."""
    try:
        if fence.language == "json":
            json.loads(fence.text)
        elif fence.language == "jsonl":
            for line in fence.text.splitlines():
                json.loads(line)
        elif fence.language == "toml":
            tomllib.loads(fence.text)
    except ValueError as error:
        return [f"{page}:{fence.line}: not {fence.language}: {error}"]
    if fence.shows and (ROOT / fence.shows).is_file() and fence.text not in (ROOT / fence.shows).read_text(encoding="utf-8"):
        return [f"{page}:{fence.line}: {fence.shows} says something else"]
    return []


def make_problems(page: str, text: str, verbs: frozenset[str]) -> list[str]:
    """`make` verbs that a page tells somebody to type and that the Makefile does not have."""
    typed = re.findall(r"(?m)(?:^\$ |`)make ([a-z][a-z-]*)", text)
    return [f"{page}: make {verb}: no such verb" for verb in typed if verb not in verbs]


def runnable(page: Path) -> tuple[Command, ...]:
    """The commands of a page that are run."""
    blocks = (fence for fence in fences(page.read_text(encoding="utf-8")) if fence.language == "console")
    return tuple(command for fence in blocks for command in commands(fence) if command.is_runnable)


def run(command: Command, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run one line of a page as a reader would type it."""
    programs = str(Path(sys.executable).parent)
    environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "COLUMNS": "140", "NO_COLOR": "1"}
    return subprocess.run(
        ["/bin/sh", "-c", command.line], cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )


def marked(page: Path) -> object:
    """The page as a parameter, with the marks that its commands ask for."""
    proves = any(command.line.startswith("clearwell prove") for command in runnable(page))
    return pytest.param(page, id=named(page), marks=[pytest.mark.sandbox, pytest.mark.registry] if proves else [])


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    assert link_problems(page, page.read_text(encoding="utf-8")) == []


def test_the_contents_list_every_page_and_every_decision() -> None:
    index = ROOT / "docs/index.md"
    listed = {(index.parent / target.partition("#")[0]).resolve() for target in links(index.read_text(encoding="utf-8"))}

    missing = [path.relative_to(index.parent).as_posix() for path in DOCS if path != index and path.resolve() not in listed]

    assert missing == [], "add them to docs/index.md"


def test_decisions_have_a_number_each_and_a_title() -> None:
    decisions = [path for path in DOCS if path.parent.name == "adr"]
    numbers = [path.name[:4] for path in decisions]

    assert all(re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", path.name) for path in decisions)
    assert len(set(numbers)) == len(numbers)
    assert [path.name for path in decisions if not path.read_text(encoding="utf-8").startswith("# ")] == []


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_blocks_are_what_they_say_and_show_what_stands_there(page: Path) -> None:
    assert [problem for fence in fences(page.read_text(encoding="utf-8")) for problem in block_problems(named(page), fence)] == []


def test_every_make_verb_in_the_documents_exists() -> None:
    verbs = frozenset(re.findall(r"(?m)^([a-z][a-z-]*):", (ROOT / "Makefile").read_text()))

    assert [problem for page in PAGES for problem in make_problems(named(page), page.read_text(encoding="utf-8"), verbs)] == []


def test_every_fragment_of_the_change_log_is_named_by_subject_and_kind() -> None:
    kinds = re.findall(r'(?m)^directory = "(\w+)"$', (ROOT / "pyproject.toml").read_text())
    fragments = [path.name for path in files(".md", under="changelog.d") if path.name != "README.md"]

    wrong = [name for name in fragments if not re.fullmatch(rf"(?:\d+|\+[\w-]+)\.(?:{'|'.join(kinds)})(?:\.\d+)?\.md", name)]

    assert len(kinds) == 5
    assert wrong == [], "changelog.d/README.md says how"


@pytest.mark.parametrize("page", [marked(page) for page in PAGES if runnable(page)])
def test_a_page_s_commands_do_what_it_shows(page: Path, tmp_path: Path) -> None:
    for name in ("examples", "docs"):
        (tmp_path / name).symlink_to(ROOT / name)

    for command in runnable(page):
        done = run(command, tmp_path)

        if done.returncode == 15 and command.code != 15:
            pytest.skip(f"unavailable here: {done.stderr or done.stdout}")
        assert done.returncode == command.code, f"{command.line}\n{done.stdout}\n{done.stderr}"
        assert differs(command.output, done.stdout + done.stderr) is None, f"{command.line}\n{done.stdout}\n{done.stderr}"


# -- counter-examples ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["[x](nowhere.md)", "[x](index.md#no-such-heading)", "![x](shot.png)", "[x]: gone.md", "[x](../../../etc/passwd)"]
)
def test_a_link_that_leads_nowhere_is_found(text: str) -> None:
    assert link_problems(ROOT / "docs/index.md", text)


def test_links_in_code_and_to_other_sites_are_left_alone() -> None:
    text = "`[x](nowhere.md)` [y](https://example.org/)\n\n```text\n[z](nowhere.md)\n```\n\n# A heading\n[here](#a-heading)\n"

    assert link_problems(ROOT / "docs/index.md", text) == []


@pytest.mark.parametrize(
    "text",
    [
        "```json\n{'a': 1}\n```\n",
        "```toml\na = \n```\n",
        '```jsonl\n{"a": 1}\n{\n```\n',
        "`LICENSE`:\n\n```text\nall yours\n```\n",
    ],
)
def test_a_block_that_is_not_what_it_says_is_found(text: str) -> None:
    assert [problem for fence in fences(text) for problem in block_problems("page", fence)]


def test_a_make_verb_that_is_not_there_is_found() -> None:
    assert make_problems("page", "Type `make tea`.", frozenset({"demo"}))
    assert make_problems("page", "$ make demo HEADLESS=1\nand `make demo`, and make do.", frozenset({"demo"})) == []


def test_a_console_block_is_read_as_commands_with_their_output() -> None:
    block = "```console\n$ clearwell parse a.txt --json # exit 2\nclearwell: a.txt\n...\n$ make demo\n$ clearwell parse FILE\n```\n"

    read = commands(fences(block)[0])

    assert [(c.line, c.code, c.output, c.is_runnable) for c in read] == [
        ("clearwell parse a.txt --json", 2, ("clearwell: a.txt", "..."), True),
        ("make demo", 0, (), False),
        ("clearwell parse FILE", 0, (), False),
    ]


@pytest.mark.parametrize(
    ("shown", "printed", "fits"),
    [
        (("a", "b"), "a one\nb two\nc\n", True),
        (("a", "...", "c"), "a\nx\ny\nc\n", True),
        (("a", "c"), "a\nb\nc\n", False),
        (("...", "z"), "a\nb\n", False),
        ((), "anything", True),
    ],
)
def test_what_is_shown_is_compared_with_what_is_printed(shown: tuple[str, ...], printed: str, fits: bool) -> None:
    assert (differs(shown, printed) is None) == fits
