# SPDX-License-Identifier: Apache-2.0
"""Git bundles: unpacked at one commit by git itself, inside the sandbox: a hostile pack meets no git outside it."""

import hashlib
from pathlib import Path

import msgspec

from clearwell.proving import unpack
from clearwell.proving.sandbox import Limits, Sandbox, Spec
from clearwell.proving.scratch import scratch
from clearwell.proving.source import SourceTree, read_inside
from clearwell.vocabulary.errors import NotFound, Unavailable

_SCRIPT = """
set -eu
git init -q --bare /tmp/r && cd /tmp/r
git -c transfer.fsckObjects=true fetch -q --no-tags /box/in.bundle '+refs/*:refs/b/*' || exit 31
commit=$1
if [ -z "$commit" ]; then commit=$(git for-each-ref --count=1 --sort=-committerdate --format='%(objectname)' refs/b); fi
full=$(git rev-parse -q --verify "$commit^{commit}") || exit 32
printf %s "$full" > /box/out/commit
git -c core.attributesFile=/dev/null archive --format=tar -o /box/tree/tree.tar "$full" || exit 33
"""
_LIMITS = Limits(wall_seconds=120, cpu_seconds=120, memory_bytes=2 << 30, space_bytes=512 << 20, file_bytes=512 << 20, inodes=60_000)


def read_bundle(sandbox: Sandbox, bundle: Path, name: str, commit: str | None) -> SourceTree:
    """Return the tree of a bundle at a commit (any length of its hash), or at its newest reference.

    Raises NotFound when the bundle has no such commit, Unavailable without git or sandbox or when git cannot read it, Invalid.
    """
    if not Path("/usr/bin/git").exists():
        raise Unavailable("git is not installed on the hub: install it to have bundles looked into")
    with scratch() as folder:
        harvested = folder / "tree.tar"
        harvested.touch(mode=0o600)
        bundle.chmod(0o644)
        spec = Spec(
            argv=("/bin/sh", "-c", _SCRIPT, "sh", commit or ""),
            env={"PATH": "/usr/bin:/bin", "HOME": "/box/root", "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"},
            binds=((bundle, "/box/in.bundle"),),
            writable=("/box/root", "/box/out", "/box/tree", "/tmp", "/dev/shm"),  # noqa: S108 - paths in the box
            harvest="/box/tree",
            harvest_to=harvested,
            limits=_LIMITS,
        )
        result = sandbox.run(spec)
        if result.exit == 32:
            raise NotFound(f"the bundle has no commit {commit}")
        written = next((entry.content.decode() for entry in result.files["/box/out"] if entry.path == "commit"), None)
        if result.exit != 0 or written is None:
            ended = f"hit the limit {result.killed}" if result.killed else result.stderr.decode("utf-8", "replace").strip()[-200:]
            raise Unavailable(f"git could not read the bundle: {ended or f'it left with {result.exit}'}")
        inner = folder / "inner.tar"
        inner.write_bytes(_only_file(harvested))
        tree = read_inside(sandbox, inner, "tree.tar", strip=False, commit=written)
        return msgspec.structs.replace(tree, archive=name, sha256=_sha256(bundle))


def _only_file(tar: Path) -> bytes:
    return unpack.read(tar, ".tar", "tree.tar")


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
