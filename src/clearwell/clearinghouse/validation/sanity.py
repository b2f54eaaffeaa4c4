# SPDX-License-Identifier: Apache-2.0
"""Sanity: does what a report cites exist in that version's real source? Each assertion is looked up by itself, with evidence.

Package, version, commit, file, symbol, line and quoted code are looked up in the archive that the package's one index serves, or in the
one that was sent along, fetched without executing anything. What cannot be looked up is said as unknown, and goes on (never 7). ADR 15.
"""

import re
from collections.abc import Callable, Sequence

from packageurl import PackageURL

from clearwell.clearinghouse.validation.assertion import Assertion, Evidence, Kind, Outcome, Sanity, merged
from clearwell.clearinghouse.validation.citing import last_name
from clearwell.clearinghouse.validation.looking import Look
from clearwell.clearinghouse.validation.quotation import Quoted
from clearwell.proving.archives import Kind as ArchiveKind
from clearwell.proving.archives import Registry, is_exact, same_version
from clearwell.proving.contract import Escaped
from clearwell.proving.sandbox import Sandbox
from clearwell.proving.source import SourceTree, read_inside
from clearwell.vocabulary.errors import ClearwellError, NotFound, Unavailable
from clearwell.vocabulary.finding import Finding, Location, Quote
from clearwell.vocabulary.omission import MARKER
from clearwell.vocabulary.product import REGISTRY, Product

_KINDS: dict[str, tuple[ArchiveKind, ...]] = {"pypi": ("sdist", "wheel"), "npm": ("npm",), "deb": ("deb-source",)}
CHECKABLE = f"^pkg:({'|'.join(_KINDS)})/[^?]*($|[?]((?!{REGISTRY}=).)*$)"
"""Package URLs, and so components, whose index can be asked: a regular expression, for Python and PostgreSQL alike. What another registry
has under this name is not looked for in the public one."""
_PLACES, _QUOTES = 20, 20
_NEAR = 3
"""Lines by which a quote may stand beside the line that is cited for it."""

Sent = Callable[[str | None], SourceTree]
"""Gives the tree that was sent along, at a commit where it is a bundle. Raises NotFound, Unavailable, Invalid."""


def check_all(findings: Sequence[Finding], registry: Registry, sandbox: Sandbox | None, sent: Sent | None = None) -> tuple[Sanity, ...]:
    """Look up everything that findings of one product and version assert; never raises for what is merely unreachable."""
    product = findings[0].product if findings else None
    if sent is not None:
        looks, about = _look_into_sent(product, sent)
    elif product is not None and is_checkable(product.purl):
        looks, about = _look_into_registry(PackageURL.from_string(str(product.purl)), registry, sandbox)
    else:
        return tuple(Sanity() for _ in findings)
    _ask_symbols(findings, looks, sandbox)
    return tuple(_check(finding, looks, about) for finding in findings)


def is_checkable(purl: str | None) -> bool:
    """True for packages whose index can be asked."""
    return purl is not None and re.match(CHECKABLE, purl) is not None


def _look_into_sent(product: Product | None, sent: Sent) -> tuple[list[Look], tuple[Assertion, ...]]:
    commit = product.commit if product is not None else None
    name = product.name if product is not None else "the source"
    try:
        tree = sent(commit)
    except NotFound as reason:
        return [], (Assertion(Kind.COMMIT, str(commit), Outcome.DOES_NOT_EXIST, str(reason), decides=True),)
    except Escaped:
        raise
    except ClearwellError as reason:
        return [], (_unknown(Kind.PACKAGE, name, f"the source that was sent along could not be read: {reason}"),)
    about: list[Assertion] = []
    evidence = Evidence(tree.archive, tree.sha256)
    if commit is not None and tree.commit is not None:
        about.append(Assertion(Kind.COMMIT, commit, Outcome.EXISTS, f"the bundle has the commit {tree.commit}", evidence=evidence))
    elif commit is not None:
        about.append(_unknown(Kind.COMMIT, commit, "an archive names no commit; a git bundle does"))
    if product is not None and product.purl is not None:
        about += _compare_with_papers(PackageURL.from_string(product.purl), tree, evidence)
    return [Look(tree)], tuple(about)


def _compare_with_papers(purl: PackageURL, tree: SourceTree, evidence: Evidence) -> list[Assertion]:
    """What the sent tree's own papers say that it is, against what the report says."""
    stated, own = tree.stated, _name(purl)
    if stated is None:
        return [_unknown(Kind.PACKAGE, own, f"{tree.archive} has no papers that say which package it is")]
    evidence = Evidence(evidence.archive, evidence.sha256, stated.paper)
    if _plain(stated.name) not in {_plain(own), _plain(str(purl.name))}:
        reason = f"{tree.archive} is {stated.name}, not {own}, by its {stated.paper}"
        return [Assertion(Kind.PACKAGE, own, Outcome.DOES_NOT_EXIST, reason, evidence=evidence, decides=True)]
    found = [Assertion(Kind.PACKAGE, own, Outcome.EXISTS, f"{tree.archive} is {stated.name} by its {stated.paper}", evidence=evidence)]
    if purl.version is None or stated.version is None:
        return [*found, _unknown(Kind.VERSION, purl.version or "none", f"the report or the {stated.paper} names no version")]
    if same_version(purl.version, stated.version):
        reason = f"{tree.archive} is version {stated.version} by its {stated.paper}"
        return [*found, Assertion(Kind.VERSION, purl.version, Outcome.EXISTS, reason, evidence=evidence)]
    reason = f"{tree.archive} is version {stated.version} of {stated.name}, not {purl.version}"
    return [*found, Assertion(Kind.VERSION, purl.version, Outcome.DOES_NOT_EXIST, reason, evidence=evidence, decides=True)]


def _look_into_registry(purl: PackageURL, registry: Registry, sandbox: Sandbox | None) -> tuple[list[Look], tuple[Assertion, ...]]:
    name, text, version = _name(purl), purl.to_string(), purl.version
    exists = Assertion(Kind.PACKAGE, name, Outcome.EXISTS, f"{name} is in its index")
    try:
        if purl.type != "deb":
            listed = registry.versions(text)
            if version is None:
                return [], (exists, _unknown(Kind.VERSION, "none", f"the report names no version of {name}"))
            if not registry.has(text):
                if not is_exact(purl.type, version):
                    return [], (exists, _unknown(Kind.VERSION, version, f"{version!r} names no one version of {name}"))
                reason = f"{name} has no version {version}; its index lists {len(listed)} versions"
                return [], (exists, Assertion(Kind.VERSION, version, Outcome.DOES_NOT_EXIST, reason, decides=True))
        trees = _trees(purl, registry, sandbox)
    except Escaped:
        raise
    except NotFound as reason:
        if purl.type == "deb":  # a mirror keeps no old versions: what it lacks may well have been
            return [], (_unknown(Kind.VERSION, version or "none", str(reason)),)
        return [], (Assertion(Kind.PACKAGE, name, Outcome.DOES_NOT_EXIST, f"there is no package {name} in its index", decides=True),)
    except Unavailable as reason:
        return [], (_unknown(Kind.PACKAGE, name, f"the source of {name} could not be fetched: {reason}"),)
    except ClearwellError as reason:
        return [], (_unknown(Kind.PACKAGE, name, f"the source of {name} could not be read: {reason}"),)
    there = Assertion(Kind.VERSION, str(version), Outcome.EXISTS, f"{name} {version} exists", evidence=_evidence(trees[0]))
    return [Look(tree, f"{name} {version}") for tree in trees], (exists, there)


def _trees(purl: PackageURL, registry: Registry, sandbox: Sandbox | None) -> list[SourceTree]:
    """Every kind of archive that the version has: a wheel may hold what the build made, an sdist what was not packed."""
    trees = []
    for kind in _KINDS[purl.type]:
        try:
            archive = registry.fetch(purl.to_string(), kind)
        except NotFound:
            continue
        trees.append(read_inside(sandbox, archive.path, archive.filename, strip=kind != "wheel"))
    if not trees:
        raise Unavailable(f"the index serves no source archive of {purl.to_string()}")
    return trees


def _ask_symbols(findings: Sequence[Finding], looks: Sequence[Look], sandbox: Sandbox | None) -> None:
    wanted = {symbol for finding in findings for place in finding.locations[:_PLACES] if (symbol := last_name(place.function)) is not None}
    for look in looks:
        if wanted:
            cited = {file for finding in findings for place in finding.locations[:_PLACES] if place.file for file in look.files(place.file)}
            look.ask_symbols(sandbox, wanted, cited)


def _check(finding: Finding, looks: Sequence[Look], about: tuple[Assertion, ...]) -> Sanity:
    if not looks:
        return Sanity(about)
    # The archive that holds most of what is cited is the one that the report is about: the source before what was built of it.
    answers = [_look_up(finding, look) for look in looks]
    best = max(range(len(looks)), key=lambda n: (sum(one.outcome is Outcome.EXISTS for one in answers[n]), -n))
    tree = looks[best].tree
    return Sanity(merged(about, answers[best]), tree.archive, tree.sha256, tree.tree_sha256)


def _look_up(finding: Finding, look: Look) -> list[Assertion]:
    found: list[Assertion] = []
    for place in finding.locations[:_PLACES]:
        found += _place(place, look, is_stack=finding.crash is not None, has_quotes=bool(finding.quotes))
    for quote in finding.quotes[:_QUOTES]:
        found.append(_quote(quote, look))
    return found


def _place(place: Location, look: Look, *, is_stack: bool, has_quotes: bool) -> list[Assertion]:
    """A place's file, symbol and line. A stack also names files and functions of other components: what lacks there shows nothing."""
    symbol = last_name(place.function)
    files = look.files(place.file) if place.file else ()
    found: list[Assertion] = []
    if place.file:
        found.append(_file(place.file, files, look, is_stack, alone=symbol is None and place.line is None and not has_quotes))
    if symbol is not None:
        is_foreign = is_stack or (place.file is not None and look.is_built(place.file))
        found.append(_symbol(symbol, files, look, is_foreign))
    if place.line is not None and files:
        # Most lines exist in most files: only a line past the end, or one that is all that is said, decides anything.
        found.append(_line(place, files, look, alone=symbol is None and not has_quotes))
    return found


def _file(cited: str, files: Sequence[str], look: Look, is_stack: bool, *, alone: bool) -> Assertion:
    archive = look.tree.archive
    if MARKER.search(cited) is not None:
        return _unknown(Kind.FILE, cited, "a part of this name was left out as private by the hub itself: mark it as a false hit, or look")
    if files:
        evidence = Evidence(archive, look.tree.sha256, files[0])
        return Assertion(Kind.FILE, cited, Outcome.EXISTS, f"{look.called} has the file {files[0]}", evidence=evidence, decides=alone)
    elsewhere = look.moved(cited)
    if elsewhere:
        evidence = Evidence(archive, look.tree.sha256, elsewhere[0])
        reason = f"{look.called} has no {cited}, but {elsewhere[0]}"
        return Assertion(Kind.FILE, cited, Outcome.MOVED, reason, elsewhere[0], evidence, decides=True)
    if is_stack:
        return _unknown(Kind.FILE, cited, f"{look.called} has no file {cited}; a stack may name files of others")
    if look.is_built(cited):
        reason = f"{look.called} has no {cited}, nor any source in its language: it may be what the package was built from"
        return _unknown(Kind.FILE, cited, reason)
    return Assertion(
        Kind.FILE, cited, Outcome.DOES_NOT_EXIST, f"{look.called} has no file {cited}", evidence=_evidence(look.tree), decides=True
    )


def _symbol(symbol: str, files: Sequence[str], look: Look, is_foreign: bool) -> Assertion:
    archive, word = look.tree.archive, look.word(symbol)
    here = next((one for one in word.defined if one.file in files), None)
    first = here or next(iter(word.defined), None)
    if first is not None:
        evidence = Evidence(archive, look.tree.sha256, first.file, first.line)
        where = f"{first.file}:{first.line}"
        if here is not None or not files:
            return Assertion(
                Kind.SYMBOL, symbol, Outcome.EXISTS, f"{symbol} is defined at {where} of {look.called}", None, evidence, decides=True
            )
        reason = f"{symbol} is not defined in {files[0]} but at {where} of {look.called}"
        return Assertion(Kind.SYMBOL, symbol, Outcome.MOVED, reason, where, evidence, decides=True)
    if look.without is not None:
        return _unknown(Kind.SYMBOL, symbol, look.without)
    if word.files:
        at = next((file for file in word.files if file in files), word.files[0])
        line = look.line_of(symbol, at)
        why = "no grammar reads that file" if at in word.unread else "no definition of it is recognized"
        evidence = Evidence(archive, look.tree.sha256, at, line)
        reason = f"the word {symbol} stands at {at}:{line or '?'} of {look.called}, but {why}"
        return Assertion(Kind.SYMBOL, symbol, Outcome.COULD_NOT_BE_CHECKED, reason, evidence=evidence)
    if word.is_pasted:
        return _unknown(Kind.SYMBOL, symbol, f"{look.called} makes names by token pasting; {symbol} may be one")
    if is_foreign and not files:
        reason = f"{look.called} has nothing named {symbol}; a stack, and source that was built, may name others"
        return _unknown(Kind.SYMBOL, symbol, reason)
    if "$" in symbol.strip("$"):
        return _unknown(Kind.SYMBOL, symbol, f"{look.called} has nothing named {symbol}; compilers make such names")
    reason = f"{look.called} has nothing named {symbol}"
    return Assertion(Kind.SYMBOL, symbol, Outcome.DOES_NOT_EXIST, reason, evidence=_evidence(look.tree), decides=True)


def _line(place: Location, files: Sequence[str], look: Look, *, alone: bool) -> Assertion:
    said, line = f"{place.file}:{place.line}", place.line or 1
    longest = max(files, key=look.lines)
    evidence = Evidence(look.tree.archive, look.tree.sha256, longest, min(line, look.lines(longest)))
    if line <= look.lines(longest):
        return Assertion(Kind.LINE, said, Outcome.EXISTS, f"{longest} has {look.lines(longest)} lines", evidence=evidence, decides=alone)
    reason = f"{longest} of {look.called} has {look.lines(longest)} lines; the report cites line {line}"
    return Assertion(Kind.LINE, said, Outcome.DOES_NOT_EXIST, reason, evidence=evidence, decides=True)


def _quote(quote: Quote, look: Look) -> Assertion:
    quoted, archive = Quoted(quote.text), look.tree.archive
    files = look.files(quote.file) if quote.file else ()
    said = f"{quote.file or 'quoted code'}{f':{quote.line}' if quote.line else ''}"
    if quoted.is_too_short():
        return _unknown(Kind.QUOTE, said, "the quoted code is too short to be looked for")
    try:
        places = look.quoted(quoted, files)
    except Unavailable as error:
        return _unknown(Kind.QUOTE, said, str(error))
    if not places:
        reason = f"the quoted code stands nowhere in {look.called}"
        return Assertion(Kind.QUOTE, said, Outcome.DOES_NOT_EXIST, reason, evidence=_evidence(look.tree), decides=True)
    near = next((p for p in places if (not quote.file or p[0] in files) and _is_near(quote.line, p[1], p[2])), None)
    file, first, _ = near or min(places, key=lambda p: abs(p[1] - (quote.line or p[1])))
    evidence = Evidence(archive, look.tree.sha256, file, first)
    if near is not None:
        return Assertion(Kind.QUOTE, said, Outcome.EXISTS, f"the quoted code stands at {file}:{first}", None, evidence, decides=True)
    reason = f"the quoted code stands at {file}:{first}, not at {said}"
    return Assertion(Kind.QUOTE, said, Outcome.MOVED, reason, f"{file}:{first}", evidence, decides=True)


def _is_near(line: int | None, first: int, last: int) -> bool:
    return line is None or first - _NEAR <= line <= last + _NEAR


def _unknown(kind: Kind, said: str, reason: str) -> Assertion:
    return Assertion(kind, said, Outcome.COULD_NOT_BE_CHECKED, reason)


def _evidence(tree: SourceTree) -> Evidence:
    return Evidence(tree.archive, tree.sha256)


def _name(purl: PackageURL) -> str:
    return f"{purl.namespace}/{purl.name}" if purl.namespace and purl.type != "deb" else str(purl.name)


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
