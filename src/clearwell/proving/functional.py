# SPDX-License-Identifier: Apache-2.0
"""A package's own tests: `tests.toml` in a harness of the hub's. An addition of the hub, not of PROOF.md's format."""

import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import msgspec

from clearwell.proving.environments import Environment
from clearwell.proving.folder import Harness, Proof
from clearwell.proving.running import Bench, Observation
from clearwell.proving.sandbox import Limits
from clearwell.vocabulary.errors import Invalid

Note = Callable[[Environment, bytes, tuple[str, ...], Observation], None]
FILE = "tests.toml"
_MOST = 200
_NAME = re.compile(r"[\w][\w .:/()\[\]-]{0,99}")
_SHELLS = {"sh", "bash", "dash", "zsh", "ksh", "env", "xargs"}


class Test(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One test of the package's own: an argument vector that leaves with 0 when it passes. `{build}`, `{harness}`: folders in the box."""

    name: str
    command: tuple[str, ...]


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: int
    test: tuple[Test, ...]


def tests_of(harness: Harness) -> tuple[Test, ...]:
    """The tests that the hub knows for a harness; none for a finder's own, which could grade a patch with them. Raises Invalid."""
    content = harness.folder.files.get(FILE)
    if content is None or harness.assurance != "hub":
        return ()
    try:
        file = msgspec.convert(tomllib.loads(content.decode("utf-8")), type=_File)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise Invalid(f"{FILE}: {error}") from error
    if file.format != 1 or not file.test or len(file.test) > _MOST:
        raise Invalid(f"{FILE}: format 1, with 1 to {_MOST} [[test]]")
    names = [test.name for test in file.test]
    if len(set(names)) != len(names) or not all(_NAME.fullmatch(name) for name in names):
        raise Invalid(f"{FILE}: every test has a name of its own: letters, digits and plain signs, at most 100")
    for test in file.test:
        if not test.command or Path(test.command[0]).name in _SHELLS:
            raise Invalid(f"{FILE}: {test.name}: command is an argument vector that names a program, never a shell")
    return file.test


def run_tests(
    proof: Proof, bench: Bench, environment: Environment, limits: Limits, chosen: tuple[Test, ...], note: Note = lambda *_: None
) -> dict[str, bool]:
    """Run tests in the box on one side; a test passes when it leaves with 0, within its limits and without a sanitizer's report.

    `note` is told of each run: environment, input, the test's command, and what was seen.
    """
    passed = {}
    for test in chosen:
        file = msgspec.structs.replace(proof.harness.file, command=test.command, stdin=False)
        own = msgspec.structs.replace(bench, harness=msgspec.structs.replace(proof.harness, file=file))
        seen = own.observe(environment, b"", (), limits)
        note(environment, b"", test.command, seen)
        passed[test.name] = seen.result.exit == 0 and seen.result.killed is None and not seen.reports
    return passed
