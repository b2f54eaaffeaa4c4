# SPDX-License-Identifier: Apache-2.0
"""What advisories and reports state in many spellings: CWE ids, CVSS vectors, addresses, texts; each read into one form."""

import posixpath
import re
from collections.abc import Iterable, Iterator

from packageurl import PackageURL

from clearwell.vocabulary.document import Reading
from clearwell.vocabulary.errors import Invalid
from clearwell.vocabulary.inference import weakness_from_words
from clearwell.vocabulary.product import Product, parse_purl
from clearwell.vocabulary.severity import Severity, cvss3_base_score
from clearwell.vocabulary.weakness import Weakness

MAX_TITLE = 200
MAX_TEXT = 20_000
MAX_LISTED = 50
"""Aliases, references, credits or affected packages of one finding that are kept."""
MAX_NAME = 300

_CWE = re.compile(r"(?i)(?<![a-z0-9])cwe(?:[-_: /]{0,2}|[-_: ]?id[-_:= ]{1,2})0*([1-9][0-9]{0,4})(?![0-9])")
_CWE_PAGE = re.compile(r"cwe\.mitre\.org/data/definitions/0*([1-9][0-9]{0,4})(?![0-9])")
_CWE_ALONE = re.compile(r"\s*0*([1-9][0-9]{0,4})\s*")
_VECTOR = re.compile(r"(?:CVSS:(?:3\.[01]|4\.0)/)?[A-Za-z]{1,3}:[A-Za-z]{1,6}(?:/[A-Za-z]{1,3}:[A-Za-z]{1,6}){4,40}/?")
_RANK = ("CVSS:4.", "CVSS:3.1", "CVSS:3.0", "")
_PURL = re.compile(r"pkg:[A-Za-z][A-Za-z0-9.+-]{0,30}/[^\s<>\"'`(){}\[\],;]{1,400}")


def cwes_in(text: str) -> Iterator[str]:
    """Yield each CWE that text spells out: `CWE-79`, `cwe_0079`, `CWE: 79`, or the address of its page at MITRE."""
    for pattern in (_CWE, _CWE_PAGE):
        for match in pattern.finditer(text[:MAX_TEXT]):
            yield f"CWE-{match.group(1)}"


def stated_weaknesses(values: Iterable[object], where: str) -> tuple[Weakness, ...]:
    """Read values of a field that is for CWEs: `CWE-79`, `CWE-79: XSS`, `79` or 79. Others (`NVD-CWE-noinfo`) say nothing."""
    found: dict[str, Weakness] = {}
    for value in values:
        if isinstance(value, bool) or not isinstance(value, str | int):
            continue
        text = str(value) if isinstance(value, str) or 0 < value < 100_000 else ""
        alone = _CWE_ALONE.fullmatch(text[:40])
        for cwe in [f"CWE-{alone.group(1)}"] if alone is not None else cwes_in(text):
            if len(found) < MAX_LISTED:
                found.setdefault(cwe, Weakness(cwe, "stated", where))
    return tuple(found.values())


def weaknesses_of(reading: Reading, stated: tuple[Weakness, ...], *texts: tuple[str, str]) -> tuple[Weakness, ...]:
    """Return what is stated; else what the texts spell out; else what their words tell, inferred. Texts are (origin, text)."""
    if stated:
        return stated
    for origin, text in texts:
        spelled = tuple(Weakness(cwe, "stated", origin) for cwe in dict.fromkeys(cwes_in(text)))
        if spelled:
            return spelled[:MAX_LISTED]
    inferred = (weakness_from_words(text, origin) for origin, text in texts if text and reading.may_infer(min(len(text) + 50, 2_000)))
    return next(((found,) for found in inferred if found is not None), ())


def severity_of(vectors: Iterable[str | None], score: float | None = None, level: str | None = None) -> Severity | None:
    """Choose the newest CVSS of several vectors; a 3.x vector without a stated score gets the specification's base score."""
    stated = [text.strip() for text in vectors if text and _VECTOR.fullmatch(text.strip())]
    vector = next((text for prefix in _RANK for text in stated if text.startswith(prefix)), None)
    score = score if score is not None and 0 <= score <= 10 else None
    if score is None and vector is not None:
        score = cvss3_base_score(vector)
    level = level.strip()[:40] or None if level else None
    return Severity(level, vector, score) if vector or level or score is not None else None


def number_of(value: object) -> float | None:
    """Read a score that is a number or a number's text; None for any other."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        return float(str(value)[:20])
    except ValueError:
        return None


def title_from(*texts: str | None) -> str:
    """Return the first text that says something: its first line, without Markdown's marks, at most 200 characters."""
    for text in texts:
        for line in (text or "")[: 4 * MAX_TEXT].splitlines():
            said = line.strip().strip("#*_ `").strip()
            if said:
                return said if len(said) <= MAX_TITLE else said[: MAX_TITLE - 1] + "…"
    return "finding without words"


def listed(texts: Iterable[str | None], limit: int = 2_000) -> tuple[str, ...]:
    """Return texts without blanks and repetitions, cut at `limit` characters, at most 50 of them."""
    found: dict[str, None] = {}
    for text in texts:
        said = (text or "").strip()[:limit]
        if said:
            found[said] = None
            if len(found) == MAX_LISTED:
                break
    return tuple(found)


def purl_of(kind: str | None, name: str | None, version: str | None = None) -> Product | None:
    """Make a package's product from its type and its name as its ecosystem writes it (`@scope/name`, `group:artifact`)."""
    if not kind or not name or len(name) > MAX_NAME:
        return None
    namespace, _, last = name.strip().strip("/").rpartition(":" if kind == "maven" else "/")
    try:
        return parse_purl(PackageURL(kind, namespace or None, last, (version or "").strip() or None).to_string())
    except (ValueError, Invalid):
        return None


def purl_in(text: str) -> Product | None:
    """Return the first package that text names by its package URL."""
    for match in _PURL.finditer(text[:MAX_TEXT]):
        product = product_of_purl(match.group().rstrip(".:!?"))
        if product is not None:
            return product
    return None


def product_of_purl(text: str | None) -> Product | None:
    """Read a package URL; None when it is none."""
    try:
        return parse_purl(text.strip()) if text else None
    except Invalid:
        return None


def product_named(vendor: str | None, name: str | None) -> Product | None:
    """Name a product by vendor and model where no package URL does; None when there is no name."""
    model = (name or "").strip()[:MAX_NAME]
    return Product(vendor=(vendor or "").strip()[:MAX_NAME] or None, model=model) if model else None


def first_known(*products: Product | None) -> Product | None:
    """Return the first product that a package URL names, else the first that is named at all."""
    named = [product for product in products if product is not None]
    return next((product for product in named if product.purl is not None), named[0] if named else None)


def relative_name(text: str) -> str | None:
    """Return a file's name as it would stand in an archive: forward slashes, no scheme, drive, root or `..`; None when nothing is left."""
    path = text.strip()[:4_000].replace("\\", "/")
    path = re.sub(r"^(?:file:/{0,3}(?=/|[A-Za-z]:/|[^/])|[A-Za-z]:/)", "", path, count=1, flags=re.IGNORECASE)
    path = posixpath.normpath(path) if path else ""
    while path.startswith(("/", "../")):
        path = path.partition("/")[2]
    return path[:1_000] if path not in ("", ".", "..") else None
