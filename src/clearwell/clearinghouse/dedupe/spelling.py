# SPDX-License-Identifier: Apache-2.0
"""One spelling for what tools write differently: components, versions, paths, functions, crash classes, report texts."""

import re
import unicodedata
from functools import lru_cache
from urllib.parse import unquote

from packaging.version import InvalidVersion, Version

from clearwell.vocabulary.component import identify
from clearwell.vocabulary.errors import Invalid
from clearwell.vocabulary.omission import MARKER
from clearwell.vocabulary.product import REGISTRY, Product, registry_of

_HOSTED = {"pkg:github/": "github.com", "pkg:gitlab/": "gitlab.com", "pkg:bitbucket/": "bitbucket.org"}
_SCHEME = re.compile(r"(?:[a-z][a-z0-9]{0,9}\+)?[a-z][a-z0-9]{0,9}://", re.IGNORECASE)
_PRIVATE = frozenset({
    "localhost", "localdomain", "local", "internal", "intranet", "private", "corp", "home", "lan", "test", "invalid",
})  # fmt: skip
"""Last labels of hosts that no public name has: RFC 6761, RFC 6762 with its appendix G."""
_SHORT_COMMIT, _LONG_COMMIT = 7, 40
_LONG_TEXT = 2_000
_LONG_PATH = 300
"""What is longer is not kept in a cache: outside text must not fill memory."""

_VOLATILE = re.compile(
    r"==\d+==|0x[0-9a-f]+"
    r"|\b\d{4}-\d\d-\d\d(?:t\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:z|[+-]\d\d:?\d\d)?)?"
    r"|\b\d\d:\d\d:\d\d(?:[.,]\d+)?(?:z|[+-]\d\d:?\d\d)?"
    r"|\b(?:pid|process|thread|tid)[:=#]\d+"
    r"|\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"
)
_DIGIT = re.compile(r"[0-9]")
_COUNTED = {"pid", "process", "thread", "tid"}
_CLONE = re.compile(
    r"(?:\.(?:isra|part|cold|constprop|lto_priv|llvm|str|specialized)(?:\.\d+)*|@plt|@{1,2}[A-Za-z_][\w.]*|\[abi:\w+\]|::h[0-9a-f]{16})$"
)
_NO_NAME = re.compile(
    r"[?<(\[]*(?:unknown|null|none|nil|anonymous|no symbols?|unknown module)?[?>)\]]*|\W+"
    r"|0x[0-9a-f]+|(?=[a-f]*[0-9])[0-9a-f]{8,}|.*\+0x[0-9a-f]+|sub_[0-9a-f]+"
)
_WHOLE_FILE = re.compile(r"[<({\[:]+(?:module|main|global|script|program|file|top(?:[- ]?level)? ?)(?: scope| level)?[>)}\]]*")
_NAMELESS = re.compile(
    r"[<({\[$]*(?:lambda(?:\(?\)?#?[0-9]*)?|closure(?:#[0-9]+)?|fn|block|genexpr|(?:list|dict|set)comp|operator\(\)|_[0-9]+"
    r"|(?:anonymous|arrow|unnamed)(?: ?(?:function|class|closure|lambda|block))?)[>)}\]]*"
)
_SIZE = re.compile(r"[ :]*(?:\{\*\}|\b\d+\b)")


@lru_cache(maxsize=8_192)
def component_of(product: Product | None) -> tuple[str | None, str | None]:
    """Return (component, version) of a product, each None when unknown. A commit is compared by its first seven digits.

    A product of which something private was left out is unknown: what was left out may be all that tells it from another.
    """
    if product is None or _is_reduced(product):
        return None, None
    if product.purl is not None:
        return _package(product.purl)
    if product.repository is not None:
        return repository_of(product.repository), product.commit[:_SHORT_COMMIT].lower() if product.commit else None
    if product.model or product.vendor:
        return f"model:{(product.vendor or '').strip().lower()}/{(product.model or '').strip().lower()}", None
    return None, None


@lru_cache(maxsize=8_192)
def is_local(component: str) -> bool:
    """True for a name that means something in one organization alone: findings of it join within that organization.

    A path on somebody's disk, a host that no public name has or an address of a network, a host without a path, a model without its
    vendor: two organizations that say `src`, `localhost/app` or `router` do not speak of one software.
    """
    package, _, registry = component.partition(f"?{REGISTRY}=")
    if registry:
        return is_local(f"repository:{registry}/{package}")
    kind, _, name = component.partition(":")
    first, _, rest = name.partition("/")
    if kind == "model":
        return not first or not rest
    if kind != "repository":
        return False
    last = first.rpartition(".")[2]
    return not rest or "." not in first.strip(".") or last in _PRIVATE or first.endswith("home.arpa") or last.isdecimal()


def _is_reduced(product: Product) -> bool:
    named = (unquote(product.purl or ""), product.repository, product.vendor, product.model)
    return any(MARKER.search(text) is not None for text in named if text and "[" in text)


def _package(purl: str) -> tuple[str, str | None]:
    try:
        found = identify(purl)
    except Invalid:
        return f"purl:{purl.strip()}", None
    component, registry = found.purl or purl, registry_of(purl)
    if registry is not None:  # whatever bears this name elsewhere is another package
        return f"{component}?{REGISTRY}={registry}", version_of(component, found.version)
    for prefix, host in _HOSTED.items():
        if component.startswith(prefix):
            return repository_of(f"{host}/{component.removeprefix(prefix)}"), version_of(component, found.version)
    return component, version_of(component, found.version)


def _short_commit(version: str) -> str | None:
    """A commit by its first seven digits. A tag made of decimal digits alone is a date (20230125), which its last digits tell apart."""
    if re.fullmatch(r"[0-9a-f]{7,64}", version) is None or (version.isdecimal() and len(version) < _LONG_COMMIT):
        return version or None
    return version[:_SHORT_COMMIT]


def version_of(component: str, version: str | None) -> str | None:
    if version is None:
        return None
    text = version.strip()
    if component.startswith(tuple(_HOSTED)):
        return _short_commit(text)
    if component.startswith("pkg:pypi/"):
        try:
            return re.sub(r"(?:\.0)+$", "", str(Version(text)))
        except InvalidVersion:
            return text
    return text.removeprefix("v") if text[1:2].isdigit() else text or None


def repository_of(address: str) -> str:
    """Return `repository:host/path` without scheme, user, port, `.git` and trailing slash; the host (and a hosted path) in lower case."""
    bare = _SCHEME.sub("", address.strip(), count=1)
    host, slash, path = bare.partition("/")
    if ":" in host and not host.rpartition(":")[2].isdigit():  # git@host:owner/name
        host, _, first = host.partition(":")
        path = f"{first}/{path}" if slash else first
    host = host.rpartition("@")[2].lower().removeprefix("www.").partition(":")[0]
    path = "/".join(part for part in path.split("/") if part)
    path = path[:-4] if path.lower().endswith(".git") else path
    if host in _HOSTED.values():
        path = path.lower()
    return f"repository:{host}/{path}" if path else f"repository:{host}"


def path_of(file: str) -> str:
    """Return a relative path with forward slashes, without scheme, drive, `./` and doubled slashes."""
    return _short_path(file) if len(file) <= _LONG_PATH else _even_path(file)


@lru_cache(maxsize=8_192)
def _short_path(file: str) -> str:
    return _even_path(file)


def _even_path(file: str) -> str:
    text = re.sub(r"^(?:file:/{0,3}|[A-Za-z]:(?=[/\\]))", "", file.strip().replace("\\", "/"))
    parts: list[str] = []
    for part in text.split("/"):
        if part == ".." and parts:
            parts.pop()
        elif part not in ("", ".", ".."):
            parts.append(part)
    return "/".join(parts)


def function_of(name: str | None) -> str | None:
    """Return a function's name without arguments, template arguments and compilers' suffixes; None when it names nothing."""
    if name is None or len(name) > _LONG_TEXT:
        return None
    return _function(name)


@lru_cache(maxsize=8_192)
def _function(name: str) -> str | None:
    text = name.strip().lstrip("*&").replace("(anonymous namespace)", "{anonymous}").replace("`anonymous namespace'", "{anonymous}")
    if _NO_NAME.fullmatch(text.lower()):
        return None
    if "operator" not in text:
        text = _without_brackets(text)
    text = text.removesuffix(" const").strip()
    while (shorter := _CLONE.sub("", text)) != text:
        text = shorter
    text = " ".join(text.split())
    return None if not text or _NO_NAME.fullmatch(text.lower()) else text


def is_whole_file(function: str) -> bool:
    """True for the name that a tool gives to a file's code outside every function: it says no more than the file does."""
    return _WHOLE_FILE.fullmatch(function.lower()) is not None


def is_nameless(function: str) -> bool:
    """True for what a tool calls code that has no name (`<lambda>`, `{closure}`): a file has several, and all are called that."""
    return _NAMELESS.fullmatch(function.lower()) is not None


def _without_brackets(text: str) -> str:
    """Drop argument lists and template arguments; `<init>`, `<lambda>` and Rust's `<T as Trait>` begin a name and stay."""
    if "(" not in text and "<" not in text[1:]:
        return text
    kept: list[str] = []
    open_brackets: list[str] = []
    for i, character in enumerate(text):
        if character == "(" or (character == "<" and (open_brackets or (i and (text[i - 1].isalnum() or text[i - 1] in "_ ")))):
            open_brackets.append(")" if character == "(" else ">")
        elif open_brackets and character == open_brackets[-1]:
            open_brackets.pop()
        elif not open_brackets:
            kept.append(character)
    return text if open_brackets else "".join(kept)


@lru_cache(maxsize=4_096)
def crash_class(kind: str, access: str | None) -> str:
    """Return a crash's class: the type in lower case without sizes and addresses, and whether it read or wrote."""
    first, _, second = kind.strip().partition("\n")
    words = _SIZE.sub("", first.lower()).split()
    direction = (access or "").lower() or next((word for word in second.lower().split() if word in ("read", "write")), "")
    if direction and direction not in words:
        words.append(direction)
    return " ".join(words)


def text_of(text: str) -> str:
    """Return a report's text with case, white space, addresses, process numbers and times evened out."""
    return _short_text(text) if len(text) <= _LONG_TEXT else _even(text)


def words_of(text: str) -> str:
    """Return a report's text with case and white space evened out, and nothing else: a number in it may be all that it says."""
    return " ".join((text if text.isascii() else unicodedata.normalize("NFKC", text)).lower().split())


@lru_cache(maxsize=8_192)
def _short_text(text: str) -> str:
    return _even(text)


def _even(text: str) -> str:
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    words = text.lower().split()
    if _DIGIT.search(text) is not None:
        for i in [i for i, word in enumerate(words) if not word.isalpha()]:
            word = words[i]
            if _DIGIT.search(word) is not None:
                words[i] = "#" if i and _is_count(words[i - 1], word) else _VOLATILE.sub("#", word)
    return " ".join(words)


def _is_count(before: str, word: str) -> bool:
    return before.rstrip(":=") in _COUNTED and word.strip("#(),.;:").isdigit()
