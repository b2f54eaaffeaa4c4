# SPDX-License-Identifier: Apache-2.0
"""Citing: which file and which name a report means by what it wrote (`src/a.c:12`, a forge's address, `Cls.method(int) const`). Pure.

Tools, people and AI write places as they please. A reading that is unsure gives nothing: what is not looked up is never false (never 7).
"""

import re
import urllib.parse
from pathlib import PurePosixPath

_MOST = 1000
_QUOTES = "`'\" \t\r\n"
_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]{1,30}://+")
_AFTER = re.compile(r"(?:::?\d[\d:,\s-]*|[#@][Ll]?\d.*|[\s,]*\([^()]*\)|,?\s+(?:at\s+|on\s+)?(?:lines?|l\.)\s*\d.*|::[\w.$<>~:()]+)$")
_ROOT = re.compile(
    r"^(?:[$%<{].*|[ab]|source|src|repo|root|app|code|work(?:space)?|project|build|site-packages|dist-packages|package)$", re.IGNORECASE
)

_SYMBOL = re.compile(r"[A-Za-z_$][\w$]{2,250}")
_NOT_NAMES = {
    "anonymous", "lambda", "module", "global", "main", "init", "constructor", "operator", "function", "unknown", "object",
    "none",
}  # fmt: skip
_NOUNS = {
    "function", "functions", "arrow", "method", "methods", "class", "macro", "struct", "handler", "endpoint", "constructor", "callback",
    "component", "hook", "helper", "routine", "interface", "type", "enum", "property", "getter", "setter", "decorator", "module",
    "wrapper", "parser",
    "middleware", "route", "definition", "implementation", "call", "calls", "variable", "constant", "field", "trait", "impl", "fixture",
}  # fmt: skip
_BEFORE = _NOUNS | {
    "def", "async", "fn", "func", "fun", "sub", "union", "namespace", "typedef", "define", "#define", "const", "let", "var", "static",
    "inline", "extern", "export", "default", "declare", "public", "private", "protected", "internal", "final", "abstract", "virtual",
    "override", "unsafe", "pub", "mut", "cdef", "cpdef", "get", "set", "new", "void", "int", "char", "short", "long", "unsigned", "signed",
    "float", "double", "bool", "boolean", "string", "size_t", "ssize_t", "auto", "volatile", "mutable", "synchronized", "the", "in",
    "function*", "readonly", "native", "typename", "template", "constexpr", "noinline", "static_inline",
}  # fmt: skip
_MADE = re.compile(  # what compilers, linkers and runtimes put behind a name
    r"(?:\.(?:cold|constprop|isra|part|lto_priv|llvm|str|bind|call|apply|prototype)(?:\.\d++)*+|\.func\d++(?:\.\d++)*+|-fm|@@?[\w.]++"
    r"|\s*\[[^\[\]]*\]|\s*\+\s*0x[0-9a-f]++(?:/0x[0-9a-f]++)?|#L?\d++|::\{\{?closure[^\s:]*+|\.<(?:locals|lambda|listcomp|genexpr|dictcomp|setcomp)>)+$",
    re.I,
)
_RECEIVER = re.compile(r"\(\*?[\w.]{1,100}(?:\[[^\[\]]*\])?\)\.")
_NAMELESS = re.compile(r"(?:\(anonymous namespace\)|\{anonymous\}|<unnamed>|`anonymous namespace')::")


def cited_files(cited: str) -> tuple[str, ...]:
    """The paths that a cited place may mean, the one that was written first, then without what stands around a path."""
    plain = _without_address(cited.strip(_QUOTES)[:_MOST])
    found = [cited, plain]
    while (shorter := _AFTER.sub("", plain, count=1).strip(_QUOTES)) not in {"", plain}:
        plain = shorter
        found.append(plain)
    words = [word.strip(_QUOTES + ",;()") for word in re.split(r"\s+", plain)]
    if len(words) > 1:  # prose around a path, or a path with spaces
        found += [word for word in words if "/" in word or PurePosixPath(word).suffix]
    if ":" in plain:
        found.append(plain.rpartition(":")[2])  # `package:path`
    return tuple(dict.fromkeys(one for one in found if one))


def _without_address(cited: str) -> str:
    """An address (`https://forge/owner/name/blob/v1/src/a.c?plain=1#L3`) as the path that it has, unescaped."""
    if _SCHEME.match(cited):
        cited = re.split(r"[?#]", _SCHEME.sub("", cited), maxsplit=1)[0]
        cited = re.sub(r"^.{1,300}?/(?:-/)?(?:blob|tree|raw|blame|src)/[^/]{1,100}/", "", cited, count=1)
    return urllib.parse.unquote(cited) if "%" in cited else cited


def is_root(folder: str, names: tuple[str, ...]) -> bool:
    """True for the folder in which a package's own top lies: a name of the package itself, or one that says no more than *here*."""
    bare = _bare(folder)
    names = (*names, *(name.rpartition("/")[2] for name in names))
    return _ROOT.match(folder) is not None or any(
        bare == name or re.fullmatch(re.escape(name) + r"-v?\d.*", bare) for name in map(_bare, names)
    )


def _bare(name: str) -> str:
    return re.sub(r"[-_.@/]+", "-", name).strip("-").lower()


def last_name(function: str | None) -> str | None:
    """The last name of a qualified one (`yaml.FullLoader.find` -> find); None for what is no plain name, prose among it."""
    if function is None:
        return None
    text = _NAMELESS.sub("", function.strip(_QUOTES)[:_MOST])
    if "lambda(" in text or "operator" in text or "<anonymous>" in text:
        return None
    text = re.sub(r"^func\s*\([^()]*\)\s*", "", _RECEIVER.sub("", text))
    head, opened, _ = text.partition("(")
    head = re.split(r"\s+(?:->|=>|=|:)\s|,|;|:\s|:$", head, maxsplit=1)[0]
    for _ in range(10):
        shorter = re.sub(r"<[^<>]*>(?!\w)|<[^<>]*>(?=::)", "", _MADE.sub("", head.strip()))
        if shorter == head:
            break
        head = shorter
    words = [word.strip(_QUOTES + "*&~") for word in re.sub(r"\s*(::|\.|->)\s*", r"\1", head).split()]
    is_told = False
    while len(words) > 1 and words[-1].lower() in _NOUNS:
        words.pop()
        opened, is_told = "", True
    if not words or (len(words) > 1 and not opened and not all(_is_before(word) for word in words[:-1])):
        return None
    last = re.split(r"::|\.|->|#|/|:", words[-1].rstrip("."))[-1].strip("<>()*&~ ")
    return last if _SYMBOL.fullmatch(last) and last.lower() not in (_NOT_NAMES | _BEFORE if is_told else _NOT_NAMES) else None


def _is_before(word: str) -> bool:
    return word.lower() in _BEFORE or word.startswith("@")
