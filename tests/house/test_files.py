# SPDX-License-Identifier: Apache-2.0
"""What every committed file keeps: a license line, no host of a package registry, no path of anybody's machine, a bearable length."""

import ast
import functools
import importlib.metadata
import re
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from house.tree import ROOT, files, named

SOURCE = (".py", ".sh", ".sql", ".cedar", ".cedarschema", ".css", ".html")
SOURCE_FOLDERS = ("src/", "tests/", "bench/", "scripts/", ".ci/")
LONG: dict[str, str] = {
    # path: why it is longer than 500 lines
    "src/clearwell/clearinghouse/case/entries.py": "a table: one small type for each kind of ledger line",
    "src/clearwell/clearinghouse/case/store.py": "all SQL of the case's tables, one named function a query",
}
HOSTS = (
    r"pypi\.org", r"pythonhosted\.org", r"npmjs\.(?:org|com)", r"yarnpkg\.com", r"(?:static|index)\.crates\.io", r"proxy\.golang\.org",
    r"rubygems\.org", r"repo1?\.maven", r"api\.nuget\.org", r"(?:deb|security|snapshot)\.debian\.org", r"unpkg\.com", r"jsdelivr\.net",
    r"cdnjs\.", r"conda\.anaconda\.org", r"ghcr\.io", r"docker\.io",
)  # fmt: skip


def license_problems(name: str, text: str) -> list[str]:
    """A source file says its license once, in one of its first two lines."""
    lines = text.splitlines()
    if not any("SPDX-License-Identifier: Apache-2.0" in line for line in lines[:2]):
        return [f"{name}: the first line must be a comment with SPDX-License-Identifier: Apache-2.0"]
    again = [number for number, line in enumerate(lines, 1) if re.match(r"\W{1,4}SPDX-License-Identifier:", line)]
    return [f"{name}:{number}: a second license line" for number in again[1:]]


def host_problems(name: str, text: str) -> list[str]:
    """No address of a package registry: which one is used is the machine's business (STACK.md)."""
    pattern = re.compile(rf"(?i)(?<![\w-])(?:[\w-]+\.){{0,3}}(?:{'|'.join(HOSTS)})")
    return [f"{name}:{number}: names the host {found[0]}" for number, line in _lines(text) if (found := pattern.search(line))]


def path_problems(name: str, text: str, here: Path = ROOT) -> list[str]:
    """No absolute path of the machine on which somebody wrote it."""
    places = [re.escape(str(place)) for place in (here, Path.home()) if len(place.parts) > 2]
    roots = "|".join(["/work/", "/root/", "/Users/", r"[A-Z]:\\Users\\", *(rf"{place}\b" for place in places)])
    pattern = re.compile(rf"(?<![\w./>}}$-])(?<!\b[A-Z]:)(?:{roots})")
    return [f"{name}:{number}: a path of one machine: {found[0]}" for number, line in _lines(text) if (found := pattern.search(line))]


def lock_problems(name: str, text: str) -> list[str]:
    """A lock pins by hash and says nothing about where things come from."""
    found = [
        f"{name}:{number}: a lock names no address" for number, line in _lines(text) if re.search(r"(?i)\w+://|--index|--find-links", line)
    ]
    if "sha256:" not in text and "sha512-" not in text:
        found.append(f"{name}: a lock without hashes")
    return found


def length_problems(name: str, text: str) -> list[str]:
    """Past 500 lines two things live in a file, or it is in LONG with its reason."""
    count = len(text.splitlines())
    return [f"{name}: {count} lines; split it, or give the reason in LONG"] if count > 500 and name not in LONG else []


def leftover_problems(name: str, text: str) -> list[str]:
    """Unfinished work is an issue, not a comment."""
    pattern = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME)\b")
    return [f"{name}:{number}: {found[0]}" for number, line in _lines(text) if (found := pattern.search(line))]


def import_problems(name: str, text: str, declared: set[str]) -> list[str]:
    """Whatever a module imports comes with Python, is ours, or is a declared dependency: not only somebody else's."""
    found = []
    for node in ast.walk(ast.parse(text)):
        imported = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            imported = [node.module]
        tops = {module.partition(".")[0] for module in imported} - set(sys.stdlib_module_names) - {"clearwell"}
        found += [
            f"{name}:{node.lineno}: {top} is not declared in pyproject.toml"
            for top in sorted(tops)
            if not distributions().get(top, set()) & declared
        ]
    return found


@functools.cache
def distributions() -> dict[str, set[str]]:
    """Module -> the packages that bring it."""
    return {top: {canonicalize_name(name) for name in names} for top, names in importlib.metadata.packages_distributions().items()}


def declared_names() -> set[str]:
    """Every dependency of pyproject.toml, extras included."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [*project["dependencies"], *(line for extra in project["optional-dependencies"].values() for line in extra)]
    found = {canonicalize_name(re.split(r"[<>=!~\[; ]", line)[0]) for line in asked}
    parts = [match for line in asked if (match := re.match(r"([\w-]+)\[([\w,]+)\]", line))]  # psycopg[pool] brings psycopg-pool
    return found | {f"{canonicalize_name(match[1])}-{extra}" for match in parts for extra in match[2].split(",")}


def _lines(text: str) -> list[tuple[int, str]]:
    return list(enumerate(text.splitlines(), 1))


def _text(path: Path) -> str:
    content = path.read_bytes()
    return "" if b"\0" in content[:8192] else content.decode("utf-8", "replace")


def _is_source(name: str) -> bool:
    return name == "Makefile" or (name.startswith(SOURCE_FOLDERS) and (name.endswith(SOURCE) or name == ".ci/run"))


def _check(rule: Callable[[str, str], list[str]], choose: Callable[[str], bool]) -> list[str]:
    return [problem for path in files() if choose(named(path)) for problem in rule(named(path), _text(path))]


def test_every_source_file_has_one_license_line() -> None:
    assert _check(license_problems, _is_source) == []


def test_no_committed_file_names_a_registry_s_host() -> None:
    assert _check(host_problems, lambda name: name != "tests/house/test_files.py") == []


def test_no_committed_file_holds_a_path_of_somebody_s_machine() -> None:
    assert _check(path_problems, lambda name: name != "tests/house/test_files.py" and "/samples/" not in name) == []


def test_lock_files_pin_by_hash_and_name_no_address() -> None:
    locks = [named(path) for path in files(".lock", "package-lock.json") if "/" not in named(path)]

    assert sorted(locks) == ["assets.lock", "requirements.lock"]
    assert _check(lock_problems, lambda name: name in locks) == []


def test_no_source_file_is_longer_than_five_hundred_lines_without_a_reason() -> None:
    assert _check(length_problems, lambda name: name.startswith("src/") and name.endswith((*SOURCE, ".js"))) == []
    assert [name for name in LONG if not (ROOT / name).is_file()] == [], "LONG names a file that is gone"


def test_nothing_unfinished_is_left_as_a_comment() -> None:
    assert _check(leftover_problems, lambda name: "/samples/" not in name and name.startswith((*SOURCE_FOLDERS, "docs/"))) == []


def test_every_requirement_is_locked() -> None:
    locked = {line.split("==")[0].lower() for line in (ROOT / "requirements.lock").read_text().splitlines() if "==" in line}

    assert declared_names() - locked == set()


def test_every_import_is_a_declared_dependency() -> None:
    declared = declared_names()

    assert [p for path in files(".py", under="src") for p in import_problems(named(path), _text(path), declared)] == []
    assert import_problems("a", "import click\nfrom os import path\nfrom clearwell.app import x", {"click"}) == []
    assert import_problems("a", "from idna import core", {"click"}) != []


@pytest.mark.parametrize(
    ("rule", "name", "text"),
    [
        (license_problems, "src/a.py", '"""Says nothing about its license."""\n'),
        (license_problems, "src/a.py", "# SPDX-License-Identifier: MIT\n"),
        (license_problems, "src/a.py", "# SPDX-License-Identifier: Apache-2.0\n# SPDX-License-Identifier: Apache-2.0\n"),
        (host_problems, "src/a.py", 'INDEX = "https://pypi.org/simple/"\n'),
        (host_problems, "docs/a.md", "Get it from https://registry.npmjs.org/htmx.org.\n"),
        (host_problems, "tests/a.py", "files.pythonhosted.org\n"),
        (host_problems, "Dockerfile", "FROM docker.io/library/debian:12\n"),
        (path_problems, "docs/a.md", "Look into /root/.cache for it.\n"),
        (path_problems, "src/a.py", 'HERE = "/work/main/src"\n'),
        (path_problems, "src/a.py", f'HERE = "{ROOT}/src"\n'),
        (path_problems, "src/a.py", "'/Users/somebody/clearwell'\n"),
        (lock_problems, "a.lock", "--extra-index-url file:///opt/wheels\na==1 --hash=sha256:00\n"),
        (lock_problems, "a.lock", '"resolved": "https://example.org/a.tgz", "integrity": "sha512-x"\n'),
        (lock_problems, "a.lock", "a==1\n"),
        (length_problems, "src/a.py", "x = 1\n" * 501),
        (leftover_problems, "src/a.py", "# TO" + "DO: all the rest\n"),
        (leftover_problems, "src/a.py", "# FIX" + "ME\n"),
    ],
)
def test_the_rule_finds_what_it_is_for(rule: Callable[[str, str], list[str]], name: str, text: str) -> None:
    assert rule(name, text) != []


@pytest.mark.parametrize(
    ("rule", "name", "text"),
    [
        (license_problems, ".ci/run", "#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\n"),
        (host_problems, "src/osv.py", 'ECOSYSTEMS = ("PyPI", "npm", "crates.io", "Packagist")\n'),
        (host_problems, "docs/a.md", "https://c2sp.org/tlog-tiles and https://docs.oasis-open.org/\n"),
        (path_problems, "tests/a.py", "'C:/work/x.c'\n"),
        (path_problems, "PROOF.md", "/box/root and {place}/root/x and https://example.org/work/item\n"),
        (lock_problems, "a.lock", "a==1 \\\n    --hash=sha256:00\n"),
        (length_problems, "src/a.py", "x = 1\n" * 500),
        (leftover_problems, "src/a.py", '"""clearwell operator todo lists what is to be done."""\n'),
    ],
)
def test_the_rule_lets_pass_what_is_right(rule: Callable[[str, str], list[str]], name: str, text: str) -> None:
    assert rule(name, text) == []
