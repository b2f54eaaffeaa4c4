# SPDX-License-Identifier: Apache-2.0
"""Mutations of a proof's input: near ways to the same flaw, made generically. Pure: the same seed gives the same ones.

Only those that fire on the unpatched tree judge a patch (PROOF.md), so most may be useless without harm.
"""

import hashlib
import random
import re
from collections.abc import Iterator

import msgspec

_NUMBER = re.compile(rb"(?<![\w.])-?\d{1,18}(?![\w.])")
_WORD = re.compile(rb"[A-Za-z_]{3,40}")
_RUN = re.compile(rb"(.)\1{3,}|(..)\2{3,}|(.{3,8}?)\3{3,}", re.DOTALL)
_DELIMITERS = b" \t\n,;:/|.-_=&()[]{}<>'\"\\"
_LARGE = 1 << 20
_PADDING = 96
"""Enough to leave any span of lengths around a small proof's."""


class Mutation(msgspec.Struct, frozen=True):
    """A changed input and how it was changed."""

    how: str
    content: bytes


def mutations(content: bytes, seed: bytes, most: int) -> tuple[Mutation, ...]:
    """Give up to `most` different inputs near `content`: one of each kind in turn, then bytes changed at random (short fuzzing)."""
    if not content or len(content) > _LARGE or most < 1:
        return ()
    chance = random.Random(hashlib.sha256(seed + content).digest())  # noqa: S311 - nothing secret: the same seed, the same inputs
    kinds = [list(kind(content)) for kind in _KINDS]
    found: dict[bytes, Mutation] = {}
    for turn in range(max(map(len, kinds))):
        for kind in kinds:
            if turn < len(kind) and kind[turn].content not in {content, b""}:
                found.setdefault(kind[turn].content, kind[turn])
    structured = list(found.values())[: most - most // 4]
    # Padding changes nothing but the length: it comes last, so that it does not thin out the share of those that mean something.
    padding = [one for one in _padded(content) if one.content not in found][: most // 8]
    tries = 0
    while len(structured) < most - len(padding) and tries < 8 * most:
        tries += 1
        fuzzed = _fuzzed(content, chance)
        if fuzzed not in found and fuzzed not in {content, b""}:
            found[fuzzed] = Mutation("bytes changed at random", fuzzed)
            structured.append(found[fuzzed])
    return (*structured, *(one for one in padding if one.content not in found))


def _numbers(content: bytes) -> Iterator[Mutation]:
    for seen in list(_NUMBER.finditer(content))[:6]:
        value = int(seen[0])
        for other in (value + 1, value - 1, value * 2, -value, 2**31 - 1, 2**32 - 1, 0):
            yield Mutation("a number changed", content[: seen.start()] + str(other).encode() + content[seen.end() :])


def _repeats(content: bytes) -> Iterator[Mutation]:
    for seen in list(_RUN.finditer(content[:65536]))[:4]:
        unit = next(group for group in seen.groups() if group)
        times = (seen.end() - seen.start()) // len(unit)
        for other in (times + 1, times - 1, times * 2, times + 7, times // 2):
            yield Mutation("a repeat made longer or shorter", content[: seen.start()] + unit * other + content[seen.end() :])
    if len(content) <= 4096:
        yield Mutation("the whole repeated", content + content)


def _words(content: bytes) -> Iterator[Mutation]:
    for seen in list(_WORD.finditer(content))[:12]:
        word = seen[0]
        for how, other in (("a word's case", word.swapcase()), ("a word renamed", word[:-1] + bytes([97 + (word[-1] + 1) % 26]))):
            yield Mutation(how, content[: seen.start()] + other + content[seen.end() :])


def _delimiters(content: bytes) -> Iterator[Mutation]:
    places = [i for i, byte in enumerate(content[:4096]) if byte in _DELIMITERS][:12]
    for place in places:
        yield Mutation("a delimiter doubled", content[:place] + content[place : place + 1] + content[place:])
        yield Mutation("a delimiter left out", content[:place] + content[place + 1 :])
        if content[place : place + 1] in b" \t":
            yield Mutation(
                "another blank", content[:place] + (b"\t" if content[place : place + 1] == b" " else b" ") + content[place + 1 :]
            )


def _ends(content: bytes) -> Iterator[Mutation]:
    yield Mutation("a byte put before", b"A" + content)
    yield Mutation("a byte put after", content + b"A")
    yield Mutation("a blank put before", b" " + content)
    yield Mutation("a line put before", b"a\n" + content)
    yield Mutation("a line put after", content + b"\na\n")
    yield Mutation("the last byte left out", content[:-1])
    yield Mutation("the first byte left out", content[1:])
    for share in (2, 4):
        cut = len(content) - max(1, len(content) // share)
        yield Mutation("truncated", content[:cut])


def _padded(content: bytes) -> Iterator[Mutation]:
    yield Mutation("many blanks put after", content + b" " * _PADDING)
    yield Mutation("many blanks put before", b" " * _PADDING + content)
    yield Mutation("many lines put after", content + b"\n" * _PADDING)


def _bytes(content: bytes) -> Iterator[Mutation]:
    step = max(1, len(content) // 12)
    for place in range(0, len(content), step):
        byte = content[place]
        if chr(byte).isalpha():
            other = 65 + (byte - 64) % 26 if byte < 97 else 97 + (byte - 96) % 26
        elif chr(byte).isdigit():
            other = 48 + (byte - 47) % 10
        else:
            other = (byte + 1) % 256
        yield Mutation("one byte changed", content[:place] + bytes([other]) + content[place + 1 :])


def _pieces(content: bytes) -> Iterator[Mutation]:
    """Lines, or halves, doubled and left out: what is between the pieces of a structure stays whole."""
    lines = content.splitlines(keepends=True)
    if len(lines) > 1:
        for place in range(min(len(lines), 6)):
            yield Mutation("a line doubled", b"".join([*lines[: place + 1], *lines[place:]]))
            yield Mutation("a line left out", b"".join([*lines[:place], *lines[place + 1 :]]))
    for place in range(1, min(len(content), 64), max(1, min(len(content), 64) // 6)):
        yield Mutation("a byte doubled", content[:place] + content[place - 1 : place] + content[place:])


_KINDS = (_ends, _bytes, _repeats, _numbers, _pieces, _delimiters, _words)


def _fuzzed(content: bytes, chance: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 4))):
        place = chance.randrange(len(changed)) if changed else 0
        match chance.randrange(4):
            case 0 if changed:
                changed[place] = chance.randrange(256)
            case 1 if changed:
                changed[place] ^= 1 << chance.randrange(8)
            case 2:
                changed.insert(place, chance.randrange(256))
            case _ if changed:
                del changed[place]
    return bytes(changed)
