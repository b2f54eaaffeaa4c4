# SPDX-License-Identifier: Apache-2.0
"""Products: what a finding is about, by package URL, by repository and commit, or by vendor and model."""

import re

import msgspec
from packageurl import PackageURL

from clearwell.vocabulary.errors import Invalid

REGISTRY = "repository_url"
"""The qualifier by which a package URL names another registry than its type's own (purl-spec): a package of that name there is another."""
_ADDRESS = re.compile(r"(?:[a-z][a-z0-9+.-]{0,20}://)?(?:[^/@\s]{1,500}@)?([^?#\s]{1,300})")
_REPOSITORY = re.compile(r"(?P<repository>[A-Za-z0-9][\w.+:/~-]{2,400})@(?P<commit>[0-9a-f]{7,64})")


class Product(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is flawed. At least one of `purl`, `repository` and `model` is set.

    `purl` is canonical (purl-spec) and may carry the version, and the registry where that is not the type's own; `repository` is an
    address or name without scheme and `.git`; `commit` is lower-case hexadecimal; `vendor` and `model` name hardware or closed software.
    """

    purl: str | None = None
    repository: str | None = None
    commit: str | None = None
    vendor: str | None = None
    model: str | None = None

    @property
    def version(self) -> str | None:
        """The asserted version, or None when the product is named without one."""
        if self.purl is not None:
            return PackageURL.from_string(self.purl).version
        return self.commit

    @property
    def component(self) -> str:
        """The product without its version: the unit within which signatures may join (never across)."""
        if self.purl is not None:
            parsed = PackageURL.from_string(self.purl)
            return PackageURL(parsed.type, parsed.namespace, parsed.name, qualifiers=_registry(parsed)).to_string()
        if self.repository is not None:
            return f"repository:{self.repository}"
        return f"model:{(self.vendor or '').lower()}/{(self.model or '').lower()}"

    @property
    def name(self) -> str:
        """The short name for sentences: `ujson 5.1.0`."""
        if self.purl is not None:
            parsed = PackageURL.from_string(self.purl)
            name = f"{parsed.namespace}/{parsed.name}" if parsed.namespace else str(parsed.name)
            return f"{name} {parsed.version}" if parsed.version else name
        if self.repository is not None:
            return f"{self.repository} at {self.commit[:12]}" if self.commit else self.repository
        return " ".join(part for part in (self.vendor, self.model) if part)


def parse_purl(text: str) -> Product:
    """Read a package URL into a product in canonical spelling; raise Invalid with the reason."""
    if len(text) > 500:
        raise Invalid("this package URL is longer than 500 characters")
    try:
        parsed = PackageURL.from_string(text)
    except ValueError as reason:
        raise Invalid(f"this is not a package URL (pkg:type/name@version): {reason}") from None
    name = re.sub(r"[-_.]+", "-", parsed.name).lower() if parsed.type == "pypi" else parsed.name
    return Product(purl=PackageURL(parsed.type, parsed.namespace, name, parsed.version, _registry(parsed)).to_string())


def registry_of(purl: str) -> str | None:
    """The registry that a package URL names by `repository_url`, as it is compared: no scheme, no user, host in lower case."""
    return _registry(PackageURL.from_string(purl)).get(REGISTRY)


def _registry(parsed: PackageURL) -> dict[str, str]:
    said = parsed.qualifiers.get(REGISTRY) if isinstance(parsed.qualifiers, dict) else None
    bare = _ADDRESS.match(said.strip()) if said else None
    if bare is None:
        return {}
    host, slash, path = bare[1].partition("/")
    return {REGISTRY: f"{host.lower()}{slash}{path}".rstrip("/")}


def parse_target(text: str) -> Product:
    """Read `--target`: a package URL, or `REPOSITORY@COMMIT`; raise Invalid."""
    if text.startswith("pkg:"):
        return parse_purl(text)
    bare = re.sub(r"^(?:git\+)?[a-z]+://(?:[^/@\s]{1,500}@)?", "", text)  # a name and password that a tool left in stay out
    match = _REPOSITORY.fullmatch(bare)
    if match is None:
        raise Invalid("a target is a package URL (pkg:pypi/ujson@5.1.0) or REPOSITORY@COMMIT with 7 to 64 hex digits")
    return Product(repository=match["repository"].removesuffix(".git"), commit=match["commit"])
