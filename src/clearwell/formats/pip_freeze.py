# SPDX-License-Identifier: Apache-2.0
"""`pip freeze` and pinned requirements files (pip, "Requirements File Format"): what is installed in a Python environment."""

import re
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, canonicalize_name, parse_sdist_filename, parse_wheel_filename

from clearwell.vocabulary.component import Component, canonical_purl
from clearwell.vocabulary.document import as_utf8, require_size
from clearwell.vocabulary.errors import Invalid

MAX_BYTES = 16 * 1024 * 1024
MAX_LINES = 200_000
MAX_LINE = 20_000

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,200}[A-Za-z0-9])?"
_REQUIREMENT = re.compile(rf"({_NAME})[ \t]*(?:\[[^\]]*\])?[ \t]*(.*)", re.ASCII)
_PINNED = re.compile(r"===?[ \t]*([^\s,;*]+)", re.ASCII)
_EDITABLE_NOTE = re.compile(rf"#[^(]*\(({_NAME})==([^\s()]+)\)", re.ASCII)
_OPTION = re.compile(r"--?[A-Za-z]")


def read(data: bytes) -> tuple[Component, ...]:
    """Read the components of `pip freeze` output or a requirements file, in its order.

    `==` and `===` state the version; so does the file name of a wheel or source distribution in a direct reference, and the
    note that pip writes above an editable install. Whatever else is named has no known version. Options are passed over;
    comments too. A line that is no requirement becomes a component in doubt. Raises Invalid when there is no requirement at
    all, or more unreadable lines than readable ones.
    """
    require_size(data, MAX_BYTES)
    text = as_utf8(data).decode("utf-8", errors="replace")
    if "\0" in text:
        raise Invalid("the file holds NUL characters: it is not the text that pip writes")
    found = tuple(_components(text))
    readable = sum(component.purl is not None for component in found)
    if not readable or readable * 2 < len(found):
        raise Invalid("this is not the output of pip freeze: no line (or too few) reads NAME==VERSION")
    return found


def _components(text: str) -> Iterator[Component]:
    note: tuple[str, str] | None = None
    for number, line in _logical_lines(text):
        stated = _EDITABLE_NOTE.match(line)
        bare = re.sub(r"(?:^|[ \t])#.*$", "", line).strip() if "egg=" not in line else line.strip()
        if line.startswith("#"):
            note = (stated[1], stated[2]) if stated else None
            continue
        if bare:
            component = _component(bare, number, note)
            if component is not None:
                yield component
        note = None


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Join lines that end in a backslash; yield each with the number of its first."""
    lines = text.splitlines()
    if len(lines) > MAX_LINES:
        raise Invalid(f"the file has {len(lines):,} lines; at most {MAX_LINES:,} are read")
    pending, first = "", 0
    for number, line in enumerate(lines, 1):
        first = first if pending else number
        if line.endswith("\\") and not line.startswith("#"):
            pending += line[:-1] + " "
        else:
            pending += line
        if len(pending) > MAX_LINE:
            raise Invalid(f"line {first} is longer than {MAX_LINE:,} characters")
        if not line.endswith("\\") or line.startswith("#"):
            yield first, pending.strip()
            pending = ""
    if pending:
        yield first, pending.strip()


def _component(line: str, number: int, note: tuple[str, str] | None) -> Component | None:
    place = f"line {number}"
    editable = re.match(r"(?:-e|--editable)(?:[ \t]+|=)(.*)", line)
    if editable is not None:
        return _editable(editable[1].strip(), place, note)
    if _OPTION.match(line):
        return None
    requirement = _REQUIREMENT.fullmatch(line)
    if requirement is None or not (requirement[2] == "" or requirement[2][0] in "=<>!~@;(-"):
        return _address(line, place) if "://" in line else _in_doubt(line, place, "this line is not a requirement")
    name, rest = requirement[1], requirement[2]
    if rest.startswith("@"):
        address = rest[1:].strip().partition(" ;")[0].strip()
        return _located(name, address, place)
    rest = re.split(r"[ \t]--[a-z]", rest.partition(";")[0])[0].strip().strip("()").strip()
    pinned = next((match for clause in rest.split(",") if (match := _PINNED.fullmatch(clause.strip()))), None)
    if pinned is None:
        return _named(name, None, place, f"the file does not pin a version of {name}")
    return _named(name, pinned[1], place)


def _named(name: str, version: str | None, place: str, doubt: str | None = None) -> Component:
    return Component(name=name, purl=canonical_purl("pypi", None, name), version=version, found=(place,), doubt=doubt)


def _in_doubt(line: str, place: str, doubt: str) -> Component:
    return Component(name=line[:200], found=(place,), doubt=f"{place}: {doubt}")


def _editable(address: str, place: str, note: tuple[str, str] | None) -> Component:
    """An editable install: pip's note above it or a `#egg=` fragment names it; only the note states a version."""
    if note is not None:
        return _named(note[0], note[1], place)
    return _address(address, place)


def _address(address: str, place: str) -> Component:
    """A direct address without a name before it: `#egg=NAME`, or the name in the file's name."""
    egg = re.search(rf"[#&]egg=({_NAME})", address)
    if egg is not None:
        return _located(egg[1], address, place)
    stated = _from_file_name(address)
    if stated is not None:
        return _named(stated[0], stated[1], place)
    return _in_doubt(address, place, "the address does not say which package it holds")


def _located(name: str, address: str, place: str) -> Component:
    stated = _from_file_name(address)
    if stated is not None and canonicalize_name(name) == canonicalize_name(stated[0]):
        return _named(name, stated[1], place)
    return _named(name, None, place, f"{name} was installed from an address that does not state a version")


def _from_file_name(address: str) -> tuple[str, str] | None:
    """Name and version from the name of a wheel (PEP 427) or source distribution (PEP 625); None for anything else."""
    try:
        path = urlsplit(address).path if "://" in address or address.startswith("file:") else address
    except ValueError:
        return None
    file = unquote(path).replace("\\", "/").rpartition("/")[2]
    try:
        if file.endswith(".whl"):
            name, version, _, _ = parse_wheel_filename(file)
        elif file.endswith((".tar.gz", ".zip")):
            name, version = parse_sdist_filename(file)
        else:
            return None
    except (InvalidWheelFilename, InvalidSdistFilename):
        return None
    return str(name), str(version)
