# SPDX-License-Identifier: Apache-2.0
"""Minimization: the projection of a finding that people and later stages see, without personal data and keys, and what it leaves out.

The raw bytes stay sealed as received. Pure and deterministic: the same finding gives the same projection, so it can be computed anew
from the sealed bytes. Linear: every pattern is bounded and begins only where a word begins. ADR 14 has the reasons, and what stays.
"""

import functools
from collections.abc import Callable, Collection, Container

import msgspec
from packageurl import PackageURL

from clearwell.clearinghouse.intake.private_words import PATTERNS, Hit
from clearwell.vocabulary.finding import Finding, Omission, Origin
from clearwell.vocabulary.omission import marker, omission_number, patterns_of
from clearwell.vocabulary.product import REGISTRY, Product, registry_of

LISTED = 200
"""Omissions of one finding that are listed; the rest are left out too, and only counted in the last line."""

Rewrite = Callable[[str, str], str]
"""Field and text -> the text that is shown."""


def is_of_now(number: int) -> bool:
    """True for the number of an omission in a list that today's patterns made."""
    return patterns_of(number) == PATTERNS.version


def minimize(finding: Finding, false_hits: Container[str] = frozenset()) -> Finding:
    """Return what is shown of a finding; `left_out` lists kinds and positions, never values.

    `false_hits` are words that the originator said are none: they stay, and their omission says so. Omissions keep their numbers
    whatever is said of them.
    """
    if not any(map(PATTERNS.hits_in, _texts(finding))):
        return finding
    rewriting = _Rewriting(false_hits)
    changed = _rewritten(finding, rewriting)
    return msgspec.structs.replace(changed, left_out=tuple(rewriting.omissions))


def minimize_text(text: str) -> str:
    """Return what is shown of a text by itself: a problem, a file's name."""
    return _Rewriting(frozenset())("", text)


def minimize_origin(origin: Origin) -> Origin:
    """Return what is shown of what a sender says of tool, model and reviewer."""
    return _origin(origin, _Rewriting(frozenset()))


def words_of(finding: Finding, numbers: Collection[int]) -> frozenset[str]:
    """Return the words that are left out under these numbers (of this version). They go no further than the next projection."""
    seeing = _Seeing(numbers)
    _rewritten(finding, seeing)
    return frozenset(seeing.words)


class _Rewriting:
    """Rewrites field by field and notes what it left out."""

    def __init__(self, false_hits: Container[str]) -> None:
        self.omissions: list[Omission] = []
        self._false_hits, self._place = false_hits, 0

    def __call__(self, field: str, text: str) -> str:
        found = _hits_in(field, text)
        if not found:
            return text
        pieces, behind, length = [], 0, 0
        for hit in found:
            word = text[hit.start : hit.end]
            stays = word in self._false_hits
            shown = word if stays else marker(hit.kind)
            pieces += [text[behind : hit.start], shown]
            length += hit.start - behind
            self._note(hit, field, length, stays)
            length, behind = length + len(shown), hit.end
        return "".join([*pieces, text[behind:]])

    def _note(self, hit: Hit, field: str, start: int, stays: bool) -> None:
        if self._place < LISTED:
            self.omissions.append(Omission(omission_number(PATTERNS.version, self._place), hit.kind, field, start, is_false=stays))
        else:
            last = self.omissions[-1]
            self.omissions[-1] = msgspec.structs.replace(last, more=last.more + 1)
        self._place += 1


class _Seeing:
    """Goes the same way as `_Rewriting` and remembers the words under some numbers."""

    def __init__(self, numbers: Collection[int]) -> None:
        self.words: list[str] = []
        self._numbers, self._place = frozenset(numbers), 0

    def __call__(self, field: str, text: str) -> str:
        for hit in _hits_in(field, text):
            if omission_number(PATTERNS.version, self._place) in self._numbers:
                self.words.append(text[hit.start : hit.end])
            self._place += 1
        return text


_NAMED = ("product.", "affected[", "fingerprints[", "origin.tool_version", "origin.model_version")
"""Fields of names, versions and hashes: numbers in them are versions, whatever addresses look like."""
_NUMBERS = frozenset({"network address", "telephone number", "postal address"})


def _hits_in(field: str, text: str) -> tuple[Hit, ...]:
    found = PATTERNS.hits_in(text)
    return tuple(hit for hit in found if hit.kind not in _NUMBERS) if found and field.startswith(_NAMED) else found


def _texts(finding: Finding) -> list[str]:
    """Every text of a finding in which people or their machines may have written something."""
    texts = [
        finding.title,
        finding.message,
        *([finding.rule] if finding.rule is not None else ()),
        *finding.preconditions,
        *finding.remarks,
        *finding.affected,
        *finding.references,
        *finding.credits,
        *finding.aliases,
        *finding.introduced,
    ]
    for place in finding.locations:
        if place.file is not None:
            texts.append(place.file)
        if place.function is not None:
            texts.append(place.function)
    if finding.crash is not None:
        texts += finding.crash.call_sites
        texts += [text for text in (finding.crash.type, finding.crash.state) if text is not None]
        texts += [text for frame in finding.crash.frames for text in (frame.function, frame.file, frame.module) if text is not None]
    for quote in finding.quotes:
        texts.append(quote.text)
        if quote.file is not None:
            texts.append(quote.file)
    for pair in finding.fingerprints:
        texts += pair
    if finding.product is not None:
        texts += [text for _, text in _parts_of(finding.product)]
    origin = finding.origin
    named = (origin.tool, origin.tool_version, origin.model, origin.model_version, origin.human_reviewer)
    texts += [text for text in (finding.external_id, *named) if text is not None]
    return texts


def _rewritten(finding: Finding, rewrite: Rewrite) -> Finding:
    """The finding with each of `_texts` rewritten, in one order."""

    def optional(field: str, text: str | None) -> str | None:
        return rewrite(field, text) if text is not None else None

    replace = msgspec.structs.replace
    crash = finding.crash
    return replace(
        finding,
        title=rewrite("title", finding.title),
        message=rewrite("message", finding.message),
        rule=optional("rule", finding.rule),
        preconditions=tuple(rewrite(f"preconditions[{n}]", text) for n, text in enumerate(finding.preconditions)),
        remarks=tuple(rewrite(f"remarks[{n}]", text) for n, text in enumerate(finding.remarks)),
        affected=tuple(rewrite(f"affected[{n}]", text) for n, text in enumerate(finding.affected)),
        references=tuple(rewrite(f"references[{n}]", text) for n, text in enumerate(finding.references)),
        credits=tuple(rewrite(f"credits[{n}]", text) for n, text in enumerate(finding.credits)),
        aliases=tuple(rewrite(f"aliases[{n}]", text) for n, text in enumerate(finding.aliases)),
        introduced=tuple(rewrite(f"introduced[{n}]", text) for n, text in enumerate(finding.introduced)),
        locations=tuple(
            replace(
                place,
                file=optional(f"locations[{n}].file", place.file),
                function=optional(f"locations[{n}].function", place.function),
            )
            for n, place in enumerate(finding.locations)
        ),
        crash=None
        if crash is None
        else replace(
            crash,
            type=optional("crash.type", crash.type),
            state=optional("crash.state", crash.state),
            call_sites=tuple(rewrite(f"crash.call_sites[{n}]", text) for n, text in enumerate(crash.call_sites)),
            frames=tuple(
                replace(
                    frame,
                    function=optional(f"crash.frames[{n}].function", frame.function),
                    file=optional(f"crash.frames[{n}].file", frame.file),
                    module=optional(f"crash.frames[{n}].module", frame.module),
                )
                for n, frame in enumerate(crash.frames)
            ),
        ),
        quotes=tuple(
            replace(quote, text=rewrite(f"quotes[{n}].text", quote.text), file=optional(f"quotes[{n}].file", quote.file))
            for n, quote in enumerate(finding.quotes)
        ),
        external_id=optional("external_id", finding.external_id),
        origin=_origin(finding.origin, rewrite),
        fingerprints=tuple(
            (rewrite(f"fingerprints[{n}].name", name), rewrite(f"fingerprints[{n}]", value))
            for n, (name, value) in enumerate(finding.fingerprints)
        ),
        product=_product(finding.product, rewrite) if finding.product is not None else None,
    )


def _origin(origin: Origin, rewrite: Rewrite) -> Origin:
    said = msgspec.structs.asdict(origin)
    return msgspec.structs.replace(origin, **{name: rewrite(f"origin.{name}", text) for name, text in said.items() if text is not None})


@functools.lru_cache(maxsize=4_096)
def _parts_of(product: Product) -> tuple[tuple[str, str], ...]:
    """The texts of a product, by name. A package URL is taken apart: what is private in it may be escaped."""
    said: list[tuple[str, str | None]] = [("repository", product.repository), ("vendor", product.vendor), ("model", product.model)]
    if product.purl is not None:
        parsed = PackageURL.from_string(product.purl)
        said += [
            ("name", f"{parsed.namespace}/{parsed.name}" if parsed.namespace else parsed.name),
            ("version", parsed.version),
            ("registry", registry_of(product.purl)),
        ]
    return tuple((name, text) for name, text in said if text)


def _product(product: Product, rewrite: Rewrite) -> Product:
    """The product with its texts rewritten, each as it reads. A package URL stays one: what is shown instead is escaped in it."""
    parts = dict(_parts_of(product))
    shown = {name: rewrite(f"product.{name}", text) for name, text in parts.items()}
    if shown == parts:
        return product
    purl = product.purl
    if purl is not None:
        namespace, _, name = shown["name"].rpartition("/")
        registered = {REGISTRY: shown["registry"]} if "registry" in shown else {}
        purl = PackageURL(PackageURL.from_string(purl).type, namespace or None, name, shown.get("version"), registered).to_string()
    return Product(purl, shown.get("repository"), product.commit, shown.get("vendor"), shown.get("model"))
