# SPDX-License-Identifier: Apache-2.0
"""Command lines and variables as a kernel takes them: what it would refuse is refused where it is read, not where it is run."""

import re
from collections.abc import Iterable, Mapping

from clearwell.vocabulary.errors import Invalid

WORDS_MAX, BYTES_MAX = 1_000, 64 << 10
"""Words, and bytes of all of them; longer things are an input's."""
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")


def check_words(words: Iterable[str], where: str) -> None:
    """Raise Invalid for a word with a NUL, for too many words and for too many bytes."""
    listed = list(words)
    if any("\0" in word for word in listed):
        raise Invalid(f"{where} holds a NUL, which no program can be given; put it into the input")
    if len(listed) > WORDS_MAX or sum(len(word.encode()) for word in listed) > BYTES_MAX:
        raise Invalid(f"{where} is more than {WORDS_MAX:,} words or {BYTES_MAX >> 10} KB; put long things into the input")


def check_call(command: Iterable[str], variables: Mapping[str, str]) -> None:
    """Check a harness's command and variables: their words, and that each name is one that a variable can have. Raises Invalid."""
    for name in variables:
        if not _VARIABLE.fullmatch(name):
            raise Invalid(f"harness.toml: env has a name that cannot be used: {name[:60]!r}")
    check_words(variables.values(), "harness.toml: env")
    check_words(command, "harness.toml: command")
