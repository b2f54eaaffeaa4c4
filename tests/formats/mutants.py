# SPDX-License-Identifier: Apache-2.0
"""Seeded mutants of documents: the same number makes the same bytes everywhere, so that a failure names its mutant."""

import random
from collections.abc import Callable, Iterator, Sequence

MB = 1 << 20
Mutation = Callable[[bytes, random.Random], bytes]


def truncated(data: bytes, chance: random.Random) -> bytes:
    """Cut anywhere."""
    return data[: chance.randrange(1, max(2, len(data)))]


def flipped(data: bytes, chance: random.Random) -> bytes:
    """Up to forty bits turned over."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 40)):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def encoded_otherwise(data: bytes, chance: random.Random) -> bytes:
    """In another encoding, or in one half and the other."""
    text = data.decode("utf-8", "replace")
    name = chance.choice(["utf-16", "utf-32", "utf-16-be", "latin-1", "cp037", "utf-7"])
    other = text.encode(name, "replace")
    return other if chance.random() < 0.7 else data[: len(data) // 2] + other[len(other) // 2 :]


def deep(data: bytes, chance: random.Random) -> bytes:
    """Nested a hundred thousand deep somewhere."""
    opening = chance.choice([b"[", b'{"a":', b"(", b"<a>", b"<<", b"{{"])
    at = chance.randrange(len(data))
    return data[:at] + opening * chance.choice([1_000, 20_000, 100_000]) + data[at:]


def laughing(data: bytes, chance: random.Random) -> bytes:
    """References that grow when they are followed: YAML aliases, XML entities, JSON pointers, MIME boundaries."""
    yaml = b"a0: &a0 [x,x]\n" + b"".join(b"a%d: &a%d [*a%d,*a%d,*a%d]\n" % (n, n, n - 1, n - 1, n - 1) for n in range(1, 40))
    xml = b"<!DOCTYPE l [" + b"".join(b'<!ENTITY e%d "&e%d;&e%d;">' % (n, n - 1, n - 1) for n in range(1, 40)) + b"]><l>&e39;</l>"
    pointer = b'{"$ref":"#/a","a":{"$ref":"#/b"},"b":{"$ref":"#/a"}}'
    mime = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" * 500
    bomb = chance.choice([b"---\n" + yaml + b"---\n", xml, pointer, mime])
    return bomb + data if chance.random() < 0.5 else data[: len(data) // 2] + bomb + data[len(data) // 2 :]


def doubled_keys(data: bytes, chance: random.Random) -> bytes:
    """Keys twice, with other values."""
    keys = [key for key in (b'"results":', b'"runs":', b'"version":', b'"id":', b'"findings":', b'"format":') if key in data]
    key = chance.choice(keys) if keys else b"\n"
    return data.replace(key, key + chance.choice([b"[],", b"null,", b"1e999,", b'{"a":1},']) + key)


def huge_numbers(data: bytes, chance: random.Random) -> bytes:
    """Numbers that no machine word holds."""
    number = chance.choice([b"9" * 5_000, b"-" + b"9" * 400, b"1e999999", b"0x" + b"f" * 5_000, b"1" + b"0" * 20 + b".5"])
    digits = [place for place in range(len(data)) if data[place : place + 1].isdigit()][:5_000] or [0]
    at = chance.choice(digits)
    return data[:at] + number + data[at + 1 :]


def long_line(data: bytes, chance: random.Random) -> bytes:
    """A line of many megabytes somewhere."""
    piece = chance.choice([b"A", b"#0 0x1 in f(", b"<", b"\\", b'","', b"\xc3\xa9", b" ", b"a,"])
    size = chance.choice([1, 5, 20]) * MB
    at = chance.randrange(len(data))
    return data[:at] + piece * (size // len(piece)) + data[at:]


def repeated(data: bytes, chance: random.Random) -> bytes:
    """A stretch again and again."""
    start = chance.randrange(len(data))
    stretch = data[start : start + chance.choice([1, 40, 1_000])]
    return data[:start] + stretch * chance.randint(2, 2_000) + data[start:]


def spliced(data: bytes, chance: random.Random) -> bytes:
    """Its own parts in another order."""
    cuts = sorted(chance.randrange(len(data)) for _ in range(chance.randint(1, 6)))
    parts = [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    chance.shuffle(parts)
    return b"".join(parts)


MUTATIONS: tuple[Mutation, ...] = (
    truncated, flipped, encoded_otherwise, deep, laughing, doubled_keys, huge_numbers, long_line, repeated, spliced,
)  # fmt: skip


def mutants(documents: Sequence[tuple[str, bytes]], count: int, seed: int = 1) -> Iterator[tuple[str, bytes]]:
    """Yield `count` mutants: (name that says document, mutation and number, bytes). Every mutation meets every document in turn."""
    for number in range(count):
        name, data = documents[number % len(documents)]
        mutation = MUTATIONS[(number // len(documents) + number) % len(MUTATIONS)]
        chance = random.Random(f"{seed} {number}")
        yield f"{name} {mutation.__name__} {number}", mutation(data or b"\n", chance)


def huge(documents: Sequence[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
    """Each document with one line of 100 MB in its middle: the issue's worst."""
    for name, data in documents:
        yield f"{name} 100 MB line", data[: len(data) // 2] + b"A" * (100 * MB) + data[len(data) // 2 :]
