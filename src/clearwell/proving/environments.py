# SPDX-License-Identifier: Apache-2.0
"""What a proof runs against: the unpacked source of one side, patched where asked, and its sanitized build, each made once and kept.

Builds run in the sandbox without network. A build's key is the hash of source, harness, sanitizers and toolchain; a build with a
finder's harness is kept with that proof's run alone and shared with nobody.
"""

import functools
import hashlib
import os
import secrets
import shutil
import subprocess
import sysconfig
from pathlib import Path

import msgspec
from packageurl import PackageURL

from clearwell.proving import patches, recompiling, unboxing, unpack
from clearwell.proving.archives import Archive, Registry, runtime_python, write_whole
from clearwell.proving.folder import Folder, Harness, Kind, Proof, Side
from clearwell.proving.sandbox import Limits, Sandbox, Spec
from clearwell.proving.touched import is_test
from clearwell.vocabulary.errors import ClearwellError, Conflict, Invalid, NotFound

_ARCHIVES = (".tar.gz", ".tgz", ".tar.xz", ".tar.bz2", ".tar", ".zip", ".whl")
_RECIPE = "3"  # raise when the way of building changes: older builds are then not found
BUILD_LIMITS = Limits(
    wall_seconds=300, cpu_seconds=600, memory_bytes=3 << 30, processes=128, space_bytes=1 << 30, inodes=60_000, file_bytes=512 << 20
)
_UNPACKED_AT = 1_577_836_800  # 1 January 2020; any moment does that lies before every build
_SANITIZER_FLAGS = {"address": "-fsanitize=address", "undefined": "-fsanitize=undefined"}


Control = Side | bytes
"""What takes the place of the target: another package version, or a patch to the target's source."""


class PatchDoesNotApply(ClearwellError):
    """The patch does not fit the target's source, or is not one that is applied."""


class BuildFailed(ClearwellError):
    """The harness's build did not work on this source; the message ends with what the build said last."""


class Environment(msgspec.Struct, frozen=True):
    """One side, ready to run. `packages` are the roots of `with`, after the target in the search path; `module` is npm's name."""

    purl: str
    archive_sha256: str
    source: Path
    source_sha256: str
    build: Path | None
    packages: tuple[tuple[str, Path], ...]
    module: str | None
    evidence: tuple[tuple[str, str], ...]


class Workshop:
    """Makes environments for one proof at a time: fetches, unpacks, patches and builds."""

    def __init__(self, registry: Registry, sandbox: Sandbox, private: Path) -> None:
        self.registry, self.sandbox, self.private = registry, sandbox, private
        self.cache = registry.cache.parent

    def environment(self, proof: Proof, control: Control, harness_folder: Path) -> Environment:
        """Make the environment of one side of a proof; a patch is applied to the target's source.

        Raises NotFound and Unavailable (archives), Conflict (hashes), Invalid (archive), PatchDoesNotApply, BuildFailed.
        """
        side = proof.file.target if isinstance(control, bytes) else control
        purl = side.purl
        assert purl is not None
        kind: Kind | None = side.archive or proof.harness.file.archive
        archive = self._own_file(proof, side) if kind == "file" else self.registry.fetch(purl, kind, sha256=side.sha256)
        place, tree = self.tree(archive)
        root = side.root or proof.harness.file.root
        unpatched = None
        if isinstance(control, bytes):
            unpatched = _root(place, root)
            place = self._patched(place, unpatched, archive.sha256, control)
        source = _root(place, root)
        source_hash = tree_hash(source)
        packages = tuple(self._package(text) for text in proof.harness.file.packages)
        evidence = [
            (f"archive {archive.filename}", archive.sha256),
            (f"tree of {archive.filename}", tree),
            (f"source of {purl}", source_hash),
        ]
        evidence += [(f"archive {a.filename}", a.sha256) for _, _, a in packages]
        build, build_hash = self._build(proof.harness, source, source_hash, harness_folder, packages, unpatched)
        if build_hash is not None:
            evidence.append((f"build of {purl}", build_hash))
        return Environment(
            purl=purl,
            archive_sha256=archive.sha256,
            source=source,
            source_sha256=source_hash,
            build=build,
            packages=tuple((name, path) for name, path, _ in packages),
            module=_module_name(purl) if PackageURL.from_string(purl).type == "npm" else None,
            evidence=tuple(evidence),
        )

    def tree(self, archive: Archive) -> tuple[Path, str]:
        """Unpack an archive once; return the folder and the hash of its files."""
        base = self.private if archive.kind == "file" else self.cache
        place = base / "trees" / f"{archive.sha256}-{archive.kind}"
        note = place.with_name(f"{place.name}.sha256")
        if place.is_dir() and note.is_file():
            return place, note.read_text()
        partial = self.private / f"tree-{secrets.token_hex(8)}"  # what a kill leaves half done is in nobody's way, and swept
        try:
            if archive.kind == "file" and not archive.filename.endswith(_ARCHIVES):
                partial.mkdir(parents=True)
                (partial / archive.filename).write_bytes(archive.path.read_bytes())
                (partial / archive.filename).chmod(0o644)
            else:
                unboxing.unpack_inside(self.sandbox, archive.path, archive.filename, partial, strip=archive.kind not in {"wheel", "file"})
            _same_time(partial)
            digest = tree_hash(partial)
            if not place.exists():
                place.parent.mkdir(parents=True, exist_ok=True)
                partial.rename(place)
            write_whole(note, digest.encode())
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        return place, digest

    def _own_file(self, proof: Proof, side: Side) -> Archive:
        """Take an archive (or one source file) out of the proof's folder, else the harness's; it is shared with no other proof.

        The purl's `file_name` qualifier names it, or the pinned hash does; else it is the file called NAME-VERSION and an ending.
        """
        package = PackageURL.from_string(side.purl or "")
        qualifiers = package.qualifiers
        named = qualifiers.get("file_name") if isinstance(qualifiers, dict) else None
        for folder in (proof.folder, proof.harness.folder):
            if named:
                found = [name for name in (named,) if name in folder.files]
            else:
                found = _called(package, folder) or _pinned(side.sha256, folder)
            if found:
                content = folder.read(found[0])
                digest = hashlib.sha256(content).hexdigest()
                if side.sha256 is not None and side.sha256.lower() != digest:
                    raise Conflict(f"{found[0]}: its sha256 is {digest}, not the pinned {side.sha256.lower()}")
                place = self.private / "files" / digest
                place.parent.mkdir(exist_ok=True)
                place.write_bytes(content)
                return Archive(str(side.purl), "file", Path(found[0]).name, digest, len(content), None, place)
        raise NotFound(f"neither the proof nor the harness holds the file of {side.purl}; name it with ?file_name= or pin its sha256")

    def _patched(self, tree: Path, source: Path, archive_sha256: str, diff: bytes) -> Path:
        """Return a copy of the whole archive with a patch applied; tests that were there before stay as they were.

        The patch and the tree are strangers' bytes: they are read and put together in the box, by our own strict applier.
        """
        root = source.relative_to(tree).as_posix()
        key = hashlib.sha256(archive_sha256.encode() + root.encode() + diff).hexdigest()
        place = self.private / "patched" / key
        if place.is_dir():
            return place
        tar = self.private / f".patched-{key}.tar"
        tar.touch(mode=0o600)
        written = self.private / f".patched-{key}"
        try:
            self._apply_in_the_box(tree, root, diff, tar)
            unpack.unpack(tar, ".tar", written, strip=False)
            shutil.copytree(tree, place)
            _overlay(written, place)
        finally:
            tar.unlink(missing_ok=True)
            shutil.rmtree(written, ignore_errors=True)
        for folder in [place, *(p for p in place.rglob("*") if p.is_dir())]:
            folder.chmod(0o755)
        return place

    def _apply_in_the_box(self, tree: Path, root: str, diff: bytes, tar: Path) -> None:
        if len(diff) > patches.PATCH_MAX:
            raise PatchDoesNotApply(f"the patch is larger than {patches.PATCH_MAX >> 20} MB")
        start = "import sys; sys.path.insert(0, '/box/tool'); from clearwell.proving.patches import main; sys.exit(main(*sys.argv[1:]))"
        spec = Spec(
            argv=("/usr/bin/python3", "-I", "-S", "-c", start, "/box/tree", root, "/box/input", "/box/build"),
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
            binds=((tree, "/box/tree"),),
            files={"/box/input": diff, **{f"/box/tool/{name}": content for name, content in _applier().items()}},
            writable=("/box/build", "/box/root", "/tmp", "/dev/shm"),  # noqa: S108 - paths in the box
            collect=(),
            limits=BUILD_LIMITS,
            harvest="/box/build",
            harvest_to=tar,
        )
        result = self.sandbox.run(spec)
        if result.killed or result.exit not in {0, 3}:
            raise PatchDoesNotApply(f"applying the patch {f'hit the limit {result.killed}' if result.killed else 'failed'}")
        if result.exit == 3:
            raise PatchDoesNotApply(result.stdout.decode("utf-8", "replace")[:1000])

    def _package(self, purl: str) -> tuple[str, Path, Archive]:
        try:
            archive = self.registry.fetch(purl)
        except NotFound:
            if PackageURL.from_string(purl).type != "pypi":
                raise
            archive = self.registry.fetch(purl, "sdist")  # many small packages are published as source alone
        place, _ = self.tree(archive)
        return (_module_name(purl) if archive.kind == "npm" else PackageURL.from_string(purl).name), place, archive

    def _build(
        self,
        harness: Harness,
        source: Path,
        source_hash: str,
        harness_folder: Path,
        packages: tuple[tuple[str, Path, Archive], ...],
        unpatched: Path | None,
    ) -> tuple[Path | None, str | None]:
        """Build a source, or find that build. A patched source is built with the objects of the unpatched one, where those are kept."""
        if harness.file.build is None:
            return None, None
        place = self._built(harness, source_hash, packages)
        note = place.with_suffix(".sha256")
        if not (place.is_dir() and note.is_file()):
            objects = None if unpatched is None else self._built(harness, tree_hash(unpatched), packages).with_suffix(".objects")
            self._make_build(harness, source, harness_folder, packages, place, objects)
        return place, note.read_text()

    def _built(self, harness: Harness, source_hash: str, packages: tuple[tuple[str, Path, Archive], ...]) -> Path:
        """The folder of a build, by everything that it is made from."""
        parts = [
            _RECIPE,
            source_hash,
            harness.folder.sha256,
            " ".join(harness.file.sanitizers),
            toolchain(),
            *(a.sha256 for _, _, a in packages),
        ]
        base = self.cache / "builds" if harness.assurance == "hub" else self.private / "builds"
        return base / hashlib.sha256("|".join(parts).encode()).hexdigest()

    def _make_build(
        self,
        harness: Harness,
        source: Path,
        harness_folder: Path,
        packages: tuple[tuple[str, Path, Archive], ...],
        place: Path,
        objects: Path | None,
    ) -> None:
        place.parent.mkdir(parents=True, exist_ok=True)
        tar = self.private / f"build-{secrets.token_hex(8)}.tar"
        tar.touch(mode=0o600)
        partial = tar.with_suffix("")
        binds = [(source, "/box/src"), (harness_folder, "/box/harness")]
        binds += [(path, f"/box/with/{number}") for number, (_, path, _) in enumerate(packages)]
        if objects is not None and objects.is_dir():
            binds.append((objects, recompiling.KEPT))
        spec = Spec(
            argv=_build_command(harness),
            env=build_environment(harness),
            binds=tuple(binds),
            files=_compilers(),
            writable=("/box/build", "/box/root", "/tmp", "/dev/shm"),  # noqa: S108 - paths in the box
            collect=(),
            cwd="/box/build",
            limits=BUILD_LIMITS,
            harvest="/box/build",
            harvest_to=tar,
        )
        try:
            result = self.sandbox.run(spec)
            if result.exit != 0 or result.killed:
                said = (result.stdout[-2000:] + b"\n" + result.stderr[-2000:]).decode("utf-8", "replace").strip()
                ended = f"hit the limit {result.killed}" if result.killed else f"left with {result.exit}"
                raise BuildFailed(f"the build {ended}: {said[-1500:]}")
            unpack.unpack(tar, ".tar", partial, strip=False, bounds=unpack.Bounds(total_bytes=1 << 30, file_bytes=512 << 20))
            stored = partial / Path(recompiling.STORED).name
            if objects is None and stored.is_dir() and not place.with_suffix(".objects").exists():
                stored.rename(place.with_suffix(".objects"))
            shutil.rmtree(stored, ignore_errors=True)
            digest = tree_hash(partial)
            if not place.exists():
                partial.rename(place)
            write_whole(place.with_suffix(".sha256"), digest.encode())
        finally:
            tar.unlink(missing_ok=True)
            shutil.rmtree(partial, ignore_errors=True)


def _called(package: PackageURL, folder: Folder) -> list[str]:
    """Files of a folder by the package's name: NAME-VERSION and an archive's ending, else anything called NAME-VERSION."""
    plain = sorted(folder.files, key=lambda name: (name.count("/"), name))
    full = f"{package.name}-{package.version}"
    archives = [name for name in plain if Path(name).name in {f"{full}{end}" for end in _ARCHIVES}]
    whole = [name for name in plain if Path(name).name == full or Path(name).stem == full]
    return archives or whole


def _pinned(sha256: str | None, folder: Folder) -> list[str]:
    if sha256 is None:
        return []
    return [name for name, content in folder.files.items() if hashlib.sha256(content).hexdigest() == sha256.lower()]


def _root(tree: Path, root: str) -> Path:
    """Return the one folder of a tree that the glob names."""
    if root in {"", "."}:
        return tree
    found = _folders(tree, root.rstrip("/"))
    if len(found) != 1:
        what = "no folder" if not found else f"{len(found)} folders"
        raise Invalid(f"root = {root[:120]!r} is {what} of the archive; it must be exactly one{_hint(tree, root)}")
    return found[0]


def _folders(tree: Path, root: str) -> list[Path]:
    try:
        return sorted(p for p in tree.glob(root) if p.is_dir())
    except (ValueError, IndexError, NotImplementedError) as error:  # what pathlib says of patterns that are none
        raise Invalid(f"root = {root[:120]!r} is no pattern of folders") from error


def _hint(tree: Path, root: str) -> str:
    """What a writer of a harness most likely overlooked, and what there is."""
    rest = root.rstrip("/").partition("/")[2]
    if rest and len(_folders(tree, rest)) == 1:
        return f". An sdist's and an npm package's one top folder is taken off already: write {rest[:120]!r}"
    tops = [path.name for path in sorted(tree.iterdir()) if path.is_dir()]
    return f". At its top are {', '.join(map(repr, tops[:12]))}" if tops else ". There is none: leave root out"


@functools.cache
def _compilers() -> dict[str, bytes]:
    """Our wrapper under the name of every compiler of this machine that it may stand for."""
    wrapper = b"#!/usr/bin/python3 -ISB\n" + Path(recompiling.__file__).read_bytes()
    return {f"{recompiling.TOOLS}/{name}": wrapper for name in recompiling.COMPILERS if Path(f"/usr/bin/{name}").exists()}


@functools.cache
def _applier() -> dict[str, bytes]:
    """The files of ours that apply a patch in the box."""
    names = ("clearwell/proving/patches.py", "clearwell/vocabulary/errors.py")
    package = Path(patches.__file__).resolve().parent.parent.parent
    return {name: (package / name).read_bytes() for name in names}


def _overlay(written: Path, place: Path) -> None:
    """Put the changed files of a patch over a tree; existing tests are judged as they were, whatever a patch makes of them."""
    for name in filter(None, (written / "deleted").read_bytes().decode("utf-8", "replace").split("\0")):
        if not is_test(name) and (place / name).is_file():
            (place / name).unlink()
    files = written / "files"
    for path in sorted(p for p in files.rglob("*") if p.is_file()):
        name = path.relative_to(files).as_posix()
        file = place / name
        is_new = not file.exists()
        if not is_new and is_test(name):
            continue
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(path.read_bytes())
        except (FileExistsError, IsADirectoryError, NotADirectoryError) as error:
            raise PatchDoesNotApply(f"the patch puts {name[:120]!r} where a folder is, or beneath a file") from error
        if is_new:
            file.chmod(0o644)


def _build_command(harness: Harness) -> tuple[str, ...]:
    """A build runs by its own first line (`#!/bin/bash`), and by `sh -e` without one."""
    name = harness.file.build or ""
    first = harness.folder.read(name).split(b"\n", 1)[0][:200]
    words = first[2:].decode("utf-8", "replace").split() if first.startswith(b"#!") else []
    return (*(words or ("/bin/sh", "-e")), f"/box/harness/{name}")


def build_environment(harness: Harness) -> dict[str, str]:
    """The variables that PROOF.md promises to a build, and the least else that compilers need."""
    flags = " ".join(["-g", "-O1", "-fno-omit-frame-pointer", *(_SANITIZER_FLAGS[name] for name in harness.file.sanitizers)])
    sanitize = " ".join(_SANITIZER_FLAGS[name] for name in harness.file.sanitizers)
    major, minor = runtime_python()
    return {
        "PATH": f"{recompiling.TOOLS}:/usr/bin:/bin",
        "LC_ALL": "C.UTF-8",
        "HOME": "/box/root",
        "TMPDIR": "/tmp",  # noqa: S108 - the box's own
        "SOURCE_DATE_EPOCH": "0",
        "SRC": "/box/src",
        "OUT": "/box/build",
        "HARNESS": "/box/harness",
        "CC": "gcc",
        "CXX": "g++",
        "CFLAGS": flags,
        "CXXFLAGS": flags,
        "LDFLAGS": sanitize,
        "PYINC": f"/usr/include/python{major}.{minor}",
        # A configure step runs programs that it has just built with a sanitizer; leaks there say nothing.
        "ASAN_OPTIONS": "detect_leaks=0",
    }


def _same_time(folder: Path) -> None:
    """Give every file one time: make would otherwise take what was unpacked first for out of date, and ask for tools to renew it."""
    for path in folder.rglob("*"):
        os.utime(path, (_UNPACKED_AT, _UNPACKED_AT))


def tree_hash(folder: Path) -> str:
    """Hash the names, executable bits and contents of every file beneath a folder."""
    digest = hashlib.sha256()
    for path in sorted((p for p in folder.rglob("*") if p.is_file()), key=lambda p: p.relative_to(folder).as_posix()):
        content = path.read_bytes()
        name = path.relative_to(folder).as_posix().encode()
        digest.update(b"%d:%s%d:%d:" % (len(name), name, int(os.access(path, os.X_OK) and path.stat().st_mode & 0o111 != 0), len(content)))
        digest.update(content)
    return digest.hexdigest()


@functools.cache
def toolchain() -> str:
    """Name the compiler and the machine; part of every build's key."""
    found = [sysconfig.get_platform()]
    for tool in ("gcc", "g++"):
        path = shutil.which(tool, path="/usr/bin:/bin")
        if path is None:
            found.append(f"no {tool}")
            continue
        done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=20, check=False, env={"LC_ALL": "C"})
        found.append(done.stdout.splitlines()[0] if done.stdout else "?")
    return " ".join(found)


@functools.cache
def libasan() -> str:
    """Path of gcc's AddressSanitizer runtime, the same inside the box; empty without a compiler."""
    path = shutil.which("gcc", path="/usr/bin:/bin")
    if path is None:
        return ""
    done = subprocess.run([path, "-print-file-name=libasan.so"], capture_output=True, text=True, timeout=20, check=False)
    return str(Path(done.stdout.strip()).resolve()) if done.stdout.strip().startswith("/") else ""


def _module_name(purl: str) -> str:
    package = PackageURL.from_string(purl)
    return f"{package.namespace}/{package.name}" if package.namespace else str(package.name)
