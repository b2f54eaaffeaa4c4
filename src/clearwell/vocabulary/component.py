# SPDX-License-Identifier: Apache-2.0
"""Components: a piece of software that an inventory names, and the canonical package URL by which advisories meet it."""

import re

import msgspec
from packageurl import PackageURL

from clearwell.vocabulary.errors import Invalid

MAX_PURL = 1_000
"""Characters of the longest package URL that is read."""

_LOWER_CASE = {"pypi", "npm", "golang", "nuget", "composer", "github", "githubactions", "hex", "deb", "apk", "bitbucket"}
_RELEASE_NAMES = {
    "deb/debian": {
        "wheezy": "7", "jessie": "8", "stretch": "9", "buster": "10", "bullseye": "11", "bookworm": "12", "trixie": "13",
        "forky": "14", "duke": "15",
    },
    "deb/ubuntu": {
        "trusty": "14.04", "xenial": "16.04", "bionic": "18.04", "focal": "20.04", "jammy": "22.04", "lunar": "23.04",
        "mantic": "23.10", "noble": "24.04", "oracular": "24.10", "plucky": "25.04", "questing": "25.10",
    },
}  # fmt: skip


class Component(msgspec.Struct, frozen=True):
    """A piece of software in an inventory.

    `purl` is canonical and bears neither version nor qualifiers; None when the inventory names the component otherwise.
    `version` is as the inventory spells it, None when it does not say; `doubt` then says why. `release` is the release of a
    distribution ("12" of Debian), `sources` the canonical package URLs of the packages it was built from. `found` are the
    places in the document; `scope` the inventory's own word (dev, optional, excluded).
    """

    name: str
    purl: str | None = None
    version: str | None = None
    found: tuple[str, ...] = ()
    scope: str | None = None
    doubt: str | None = None
    release: str | None = None
    sources: tuple[str, ...] = ()


def canonical_purl(kind: str, namespace: str | None, name: str) -> str:
    """Return `pkg:kind/namespace/name` in the one spelling by which components are compared.

    PyPI names follow the PyPA's name normalization; types whose names know no case are lower-cased. Raises Invalid.
    """
    if kind == "pypi":
        namespace, name = None, re.sub(r"[-_.]+", "-", name)
    if kind in _LOWER_CASE:
        namespace, name = (namespace or "").lower() or None, name.lower()
    if kind == "golang" and namespace is None and "/" in name:
        namespace, _, name = name.rpartition("/")
    try:
        made = PackageURL(kind, namespace, name)
    except ValueError as reason:
        raise Invalid(f"no package URL can be made of {kind} {name[:80]!r}: {reason}") from None
    if not made.name:
        raise Invalid(f"no package URL can be made of {kind} {name[:80]!r}: nothing of the name is left")
    return made.to_string()


def identify(purl: str, name: str | None = None) -> Component:
    """Read a package URL into a component with its version, release and sources; raise Invalid with the reason.

    Of the qualifiers only those count that change what is meant: `distro`, rpm's `epoch`, and `upstream` (the source package).
    """
    if len(purl) > MAX_PURL:
        raise Invalid(f"this package URL is longer than {MAX_PURL} characters")
    try:
        parsed = PackageURL.from_string(purl)
    except ValueError as reason:
        raise Invalid(f"this is not a package URL (pkg:type/name@version): {reason}") from None
    qualifiers = parsed.qualifiers if isinstance(parsed.qualifiers, dict) else {}
    version = parsed.version or None
    epoch = qualifiers.get("epoch", "")
    if version and parsed.type == "rpm" and epoch.isdecimal() and ":" not in version:
        version = f"{epoch}:{version}"
    distribution = f"{parsed.type}/{(parsed.namespace or '').lower()}"
    return Component(
        name=name or (f"{parsed.namespace}/{parsed.name}" if parsed.namespace else str(parsed.name)),
        purl=canonical_purl(parsed.type, parsed.namespace, parsed.name),
        version=version,
        release=distribution_release(distribution, qualifiers.get("distro", "")),
        sources=_sources(parsed, qualifiers.get("upstream", "")),
    )


def _sources(parsed: PackageURL, upstream: str) -> tuple[str, ...]:
    names = [part.partition("@")[0].strip() for part in upstream.split(",")] if parsed.type in {"deb", "apk", "rpm"} else []
    return tuple(canonical_purl(parsed.type, parsed.namespace, name) for name in names[:8] if name)


def distribution_release(distribution: str, text: str) -> str | None:
    """Return the release that `text` names (`bookworm`, `debian-12.5`, `Debian:12`, `v3.18`, `22.04:LTS`), None when it names none.

    `distribution` is the package URL's type and namespace (`deb/debian`). Debian, Red Hat and their like count by major
    number, Ubuntu and Alpine by two.
    """
    words = text.lower()
    for codename, number in _RELEASE_NAMES.get(distribution, {}).items():
        if codename in words:
            return number
    match = re.search(r"[0-9]{1,6}(?:\.[0-9]{1,6})?", words)
    if match is None:
        return words or None if distribution == "deb/debian" and words in {"sid", "unstable"} else None
    return match[0] if distribution in {"deb/ubuntu", "apk/alpine"} else match[0].partition(".")[0]
