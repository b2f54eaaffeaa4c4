# SPDX-License-Identifier: Apache-2.0
"""What a patch touches, read from its text alone: flags for a person. Pure; linear in the patch, however hostile its bytes are."""

import hashlib
import re
import sys
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Literal

import msgspec

from clearwell.proving.patches import FilePatch

FlagKind = Literal[
    "tests",
    "harness",
    "build_files",
    "deleted_function",
    "deleted_file",
    "names_the_box",
    "names_a_canary_port",
    "names_the_sanitizer",
    "bytes_of_the_proof",
    "asks_where_it_runs",
    "ends_the_process",
    "shadows_the_runtime",
    "no_later_version",
    "mutations",
]

_TEST_FOLDERS = {"test", "tests", "testing", "__tests__", "spec", "specs", "testdata", "unittests", "testsuite"}
_TEST_FILES = re.compile(r"(?:test_.{1,200}|.{1,200}_test|.{1,200}[.-](?:test|spec)|conftest|tests?)\.[A-Za-z0-9]{1,5}")
_HARNESS_FOLDERS = {"fuzz", "fuzzing", "harness", "harnesses", "oss-fuzz"}
_BUILD_FILES = {
    "makefile", "gnumakefile", "cmakelists.txt", "configure", "configure.ac", "configure.in", "meson.build", "meson_options.txt",
    "setup.py", "setup.cfg", "pyproject.toml", "package.json", "package-lock.json", "binding.gyp", "cargo.toml", "cargo.lock",
    "build.rs", "go.mod", "go.sum", "pom.xml", "build.gradle", "build.sh", "manifest.in",
}  # fmt: skip
_BUILD_ENDS = (".mk", ".cmake", ".am", ".m4", ".gyp", ".gypi", ".gradle", ".pri", ".pro")
_BOX = re.compile(rb"/box/(?:input|proof|harness|src|build|root|out|secret|tool|with)\b|canary\.txt")
_SANITIZER = re.compile(
    rb"__(?:asan|ubsan|lsan|msan|tsan|sanitizer)_|(?:ASAN|UBSAN|LSAN)_OPTIONS|no_sanitize|fno-sanitize"
    rb"|__SANITIZE_|(?:address|memory|undefined_behavior|thread|leak)_sanitizer|no_address_safety|disable_sanitizer"
)
_PLACE = re.compile(
    rb"\b(?:secure_)?getenv\b|\benviron\b|\bsys\.argv\b|\bprocess\.(?:argv|env|pid|ppid|cwd)\b|/proc/|\bgetp?pid\b|\b_getframe\b"
    rb"|\binspect\.stack\b|\bgethostname\b|\bplatform\.node\b|\brequire\.main\b|\bprogram_invocation|modules\[.__main__"
)
_END = re.compile(rb"\b(?:_exit|_Exit|quick_exit|sys\.exit|process\.(?:exit|abort|kill))[ \t]*\(|(?<![\w.$>])exit[ \t]*\(")
_RUNTIME = {*sys.stdlib_module_names, "sitecustomize", "usercustomize"}
_DEFINITION = re.compile(
    rb"^[ \t]*(?:(?:async )?def ([A-Za-z_]\w{0,99})[ \t]*\(|(?:export )?(?:async )?function\*? ?([A-Za-z_$][\w$]{0,99})[ \t]*\("
    rb"|func (?:\([^()]{0,100}\) ?)?([A-Za-z_]\w{0,99})[ \t]*\(|(?:pub )?fn ([A-Za-z_]\w{0,99})[ \t]*[<(]"
    rb"|[A-Za-z_][\w \t*]{0,200}?[ \t*]([A-Za-z_]\w{0,99})[ \t]*\([^;]{0,400}$"
    rb"|(?:static |async ){0,2}([A-Za-z_$][\w$]{0,99})\([^;(){}]{0,300}\)[ \t]*\{[ \t]*$)"
)
_NOT_NAMES = {b"if", b"for", b"while", b"switch", b"return", b"sizeof", b"else", b"catch", b"defined"}
_LITERAL = re.compile(rb"\"((?:[^\"\\\n]|\\.){1,4000})\"|'((?:[^'\\\n]|\\.){2,4000})'")
_ESCAPE = re.compile(rb"\\(?:x([0-9A-Fa-f]{2})|([0-7]{1,3})|(.))")
_ITEM = rb"(?:0[xX][0-9A-Fa-f]{1,2}|\d{1,3}|'(?:[^'\\\n]|\\.)')"
_SEQUENCE = re.compile(rb"%s(?:[ \t]*,[ \t]*%s){3,4000}" % (_ITEM, _ITEM))
_ONE = re.compile(_ITEM)
_COMPARED = re.compile(rb"[=!]==?[ \t]*(\d{1,9})\b|\b(\d{1,9})[ \t]*[=!]==?")
_ABOVE = re.compile(rb"(?<![<>-])>(=?)[ \t]*(\d{1,9})\b|(?<![\w.])(\d{1,9})[ \t]*<(=?)(?!<)")
_BELOW = re.compile(rb"(?<!<)<(=?)[ \t]*(\d{1,9})\b|(?<![\w.])(\d{1,9})[ \t]*>(=?)(?!>)")
_NAMED_ESCAPES = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v"}
_LEAST_SHARE, _LEAST_BYTES, _LONG_BYTES, _LEAST_LENGTH = 0.5, 4, 24, 8


class Flag(msgspec.Struct, frozen=True):
    """Something about a patch that a person must look at: its kind, the file, and what was seen there."""

    kind: FlagKind
    file: str
    said: str


class Secrets(msgspec.Struct, frozen=True):
    """What a patch has no reason to know: inputs of proofs, ports of a harness's servers. `ordinary` are the features' inputs."""

    inputs: tuple[bytes, ...] = ()
    ports: tuple[str, ...] = ()
    ordinary: tuple[bytes, ...] = ()
    harness_files: frozenset[str] = frozenset()


def is_test(name: str) -> bool:
    """True for a file that by its place or its name is a test, or belongs to tests."""
    path = PurePosixPath(name.lower())
    return any(part in _TEST_FOLDERS for part in path.parts[:-1]) or _TEST_FILES.fullmatch(path.name) is not None


def flags_of(parts: tuple[FilePatch, ...], secrets: Secrets, before: Mapping[str, bytes], after: Mapping[str, bytes]) -> tuple[Flag, ...]:
    """Flag what a person must look at. `before` and `after` are the touched files' contents by their names in the tree."""
    found: list[Flag] = []
    for part in parts:
        name = part.name
        removed = [line for line in part.removed if line.strip()]
        if is_test(name):
            if removed:
                found.append(Flag("tests", name, f"changes or removes {len(removed)} lines of tests; the old tests were run"))
            continue
        found += _by_place(name, secrets) + _of_the_runtime(part)
        if part.new is None:
            found.append(Flag("deleted_file", name, "deletes the whole file"))
        found += _by_content(name, b"".join(part.added), secrets, b"".join(before.values()))
    plain_before = {name: content for name, content in before.items() if not is_test(name)}
    left = set[bytes]().union(*map(_definitions, after.values()))
    for name, content in plain_before.items():
        for gone in sorted(_definitions(content) - left):
            found.append(Flag("deleted_function", name, f"the function {gone.decode('latin-1')} is gone"))
    return tuple(dict.fromkeys(found))


def _by_place(name: str, secrets: Secrets) -> list[Flag]:
    path = PurePosixPath(name.lower())
    if any(part in _HARNESS_FOLDERS for part in path.parts[:-1]) or name.rpartition("/")[2] in secrets.harness_files:
        return [Flag("harness", name, "a file of a harness, or one of that name")]
    if path.name in _BUILD_FILES or path.name.endswith(_BUILD_ENDS):
        return [Flag("build_files", name, "decides how the package is built")]
    return []


def _of_the_runtime(part: FilePatch) -> list[Flag]:
    """A new module at the top of the search path whose name is one of Python's own: everything would import it instead."""
    parts = PurePosixPath(part.name).parts
    top = parts[1] if len(parts) > 1 and parts[0] in {"a", "b"} else parts[0]
    if part.old is None and part.name.endswith(".py") and top.removesuffix(".py") in _RUNTIME:
        return [Flag("shadows_the_runtime", part.name, f"takes the place of Python's own {top.removesuffix('.py')}")]
    return []


def _by_content(name: str, added: bytes, secrets: Secrets, before: bytes) -> list[Flag]:
    found = []
    if seen := _BOX.search(added):
        found.append(Flag("names_the_box", name, f"names {seen[0].decode('latin-1')}"))
    if seen := _SANITIZER.search(added):
        found.append(Flag("names_the_sanitizer", name, f"names {seen[0].decode('latin-1')}"))
    if (seen := _PLACE.search(added)) and not _PLACE.search(before):
        found.append(Flag("asks_where_it_runs", name, f"asks {seen[0].decode('latin-1')}"))
    if (seen := _END.search(added)) and not _END.search(before):
        found.append(Flag("ends_the_process", name, f"calls {seen[0].decode('latin-1').rstrip('( ')}"))
    for port in secrets.ports:
        if re.search(rb"(?<![\w.])%s(?![\w.])" % port.encode(), added):
            found.append(Flag("names_a_canary_port", name, f"names the port {port}"))
    if said := _of_the_proof(added, secrets, before):
        found.append(Flag("bytes_of_the_proof", name, said))
    return found


def _of_the_proof(added: bytes, secrets: Secrets, before: bytes) -> str | None:
    """Say how added lines know a proof: a literal with its bytes, a table of them, its digest or its exact length."""
    known = [*_literals(added), *_tables(added)]
    lengths = {int(a or b) for a, b in _COMPARED.findall(added)} | (_bounds(_ABOVE, 1, added) & _bounds(_BELOW, -1, added))
    for content in filter(None, (text.strip() for text in secrets.inputs)):
        for literal in known:
            is_large = len(literal) >= _LONG_BYTES or len(literal) >= _LEAST_SHARE * len(content)
            is_its = len(literal) >= _LEAST_BYTES and is_large and literal in content
            if is_its and not any(literal in text for text in (*secrets.ordinary, before)):
                return f"holds {len(literal)} bytes of the proof"
        for digest in (hashlib.sha256, hashlib.sha1, hashlib.md5):
            if digest(content).hexdigest().encode() in added.lower():
                return f"holds the {digest(content).name} of the proof"
        exact = {len(content), *(len(text) for text in secrets.inputs if text.strip() == content)}
        if lengths & {n for n in exact if n >= _LEAST_LENGTH}:
            return f"compares with {min(lengths & exact)}, the exact length of the proof"
    return None


def _bounds(compared: re.Pattern[bytes], step: int, text: bytes) -> set[int]:
    """The least (or, with the other step, the largest) numbers that comparisons let through."""
    return {int(right or left) + (0 if equal or same else step) for equal, right, left, same in compared.findall(text)}


def _literals(text: bytes) -> list[bytes]:
    return [_unescaped(a or b) for a, b in _LITERAL.findall(text)]


def _tables(text: bytes) -> list[bytes]:
    found = []
    for sequence in _SEQUENCE.findall(text):
        values = [_value(item) for item in _ONE.findall(sequence)]
        if all(value is not None and value < 256 for value in values):
            found.append(bytes(value for value in values if value is not None))
    return found


def _value(item: bytes) -> int | None:
    if item.startswith(b"'"):
        inner = _unescaped(item[1:-1])
        return inner[0] if len(inner) == 1 else None
    return int(item, 16) if item[:2].lower() == b"0x" else int(item)


def _unescaped(text: bytes) -> bytes:
    def replace(found: re.Match[bytes]) -> bytes:
        if found[1]:
            return bytes.fromhex(found[1].decode())
        if found[2]:
            return bytes([int(found[2], 8) & 255])
        return _NAMED_ESCAPES.get(found[3], found[3])

    return _ESCAPE.sub(replace, text)


def _definitions(content: bytes) -> set[bytes]:
    """Names of functions that a file defines, by the look of single lines; an ambiguous look counts as a definition."""
    found = set()
    for line in content.split(b"\n"):
        seen = _DEFINITION.match(line[:800])
        if seen is not None:
            name = next(group for group in seen.groups() if group)
            if name not in _NOT_NAMES and not line.lstrip().startswith((b"return ", b"else ", b"*", b"//", b"#")):
                found.add(name)
    return found


def is_idle(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> bool:
    """True when two versions of the touched files differ in nothing but blanks and comments: such a patch does nothing."""
    names = {name for name in {*before, *after} if not is_test(name)}
    return all(_code(name, before.get(name, b"")) == _code(name, after.get(name, b"")) for name in names)


_C_COMMENT = re.compile(rb"//[^\n]*|/\*.*?\*/|(\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*')", re.DOTALL)
_HASH_COMMENT = re.compile(rb"#[^\n]*|(\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*')")


def _code(name: str, content: bytes) -> bytes:
    by_hash = name.endswith((".py", ".pyx", ".sh", ".rb", ".pl"))
    plain = (_HASH_COMMENT if by_hash else _C_COMMENT).sub(lambda found: found[1] or b" ", content)
    if by_hash:  # blanks at the beginning of a line mean something there
        return b"\n".join(line.rstrip() for line in plain.split(b"\n") if line.strip())
    return b"".join(plain.split())
