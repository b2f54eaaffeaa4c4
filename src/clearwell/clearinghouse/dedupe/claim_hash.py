# SPDX-License-Identifier: Apache-2.0
"""scrutineer's salted finding hash: sha256(salt NUL repository NUL location NUL cwe), as its interchange documentation defines it.

It is weak by design: members share one salt, so each of them can try every file of a repository with every CWE; and it is exact, so
a flaw told under another CWE is missed. `known` is the better question; this exists for tools that only speak the other.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable

from clearwell.vocabulary.product import Product

_POSITION = re.compile(r"(?::[0-9]+(?:-[0-9]+)?){1,2}$")


def salt_mark(salt: str) -> bytes:
    """Eight bytes that tell one salt's hashes from another's without giving the salt away."""
    return hmac.digest(salt.encode(), b"clearwell claim check", "sha256")[:8]


def hash_of(salt: str, product: Product, file: str | None, weaknesses: Iterable[str]) -> bytes | None:
    """Return the salted hash of a finding, or None where it names no repository or no file."""
    repository = _repository(product)
    if repository is None or not file:
        return None
    parts = (salt, repository, _location(file), _cwe(weaknesses))
    return hashlib.sha256("\0".join(parts).encode(errors="replace")).digest()


def _repository(product: Product) -> str | None:
    """The repository's address in lower case without trailing `/` and `.git`; a package of a host's is its repository."""
    if product.repository is not None:
        return f"https://{product.repository.lower().rstrip('/').removesuffix('.git')}"
    for kind, host in (("pkg:github/", "github.com"), ("pkg:gitlab/", "gitlab.com"), ("pkg:bitbucket/", "bitbucket.org")):
        if product.purl is not None and product.purl.startswith(kind):
            return f"https://{host}/{product.component.removeprefix(kind).lower()}"
    return None


def _location(file: str) -> str:
    """The file relative to the repository: first line only, position cut off, forward slashes, lower case."""
    first = file.strip().partition("\n")[0].strip()
    return _POSITION.sub("", first).replace("\\", "/").lower().lstrip("/")


def _cwe(weaknesses: Iterable[str]) -> str:
    return ",".join(sorted({weakness.strip().upper() for weakness in weaknesses if weakness.strip()}))
