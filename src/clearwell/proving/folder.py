# SPDX-License-Identifier: Apache-2.0
"""Proof and harness folders (PROOF.md, format 1): read strictly, every path beneath its own folder and through no link."""

import hashlib
import os
import re
import stat
import tomllib
from pathlib import Path, PurePosixPath
from typing import Any, Literal, TypeVar

import msgspec
from packageurl import PackageURL

from clearwell.proving.command_line import check_call, check_words
from clearwell.vocabulary.errors import Invalid, NotFound
from clearwell.vocabulary.weakness import parse_cwe

INPUT_MAX = 64 << 20
_FILES_MAX = 500
_FOLDER_MAX = 128 << 20
_TOO_LARGE = f"the folder is too large: at most {_FILES_MAX} files and {_FOLDER_MAX >> 20} MB"
_TOML_MAX = 1 << 20
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_SHELLS = {"sh", "bash", "dash", "zsh", "ksh", "ash", "csh", "tcsh", "fish", "busybox", "env", "xargs", "sudo"}
_KINDS = ("sanitizer", "command", "file_write", "leak", "request", "output", "bypass", "pollution", "growth", "exhaustion", "other_user")
TWO_WORDS = ("bypass", "other_user")
"""Kinds whose features must show both words: what is genuine is accepted, what is not is refused."""

Kind = Literal["wheel", "sdist", "npm", "deb-source", "file"]
Repeat = tuple[str, int | str]
_Struct = TypeVar("_Struct", bound=msgspec.Struct)


class Input(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An input's recipe: exactly one of the four."""

    file: str | None = None
    text: str | None = None
    hex: str | None = None
    parts: tuple[str | Repeat, ...] | None = None

    @property
    def grows(self) -> bool:
        """True when a part is repeated "n" times."""
        return any(not isinstance(part, str) and part[1] == "n" for part in self.parts or ())


class Side(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The target or the control: a package, or (control only) a patch to the target's source."""

    purl: str | None = None
    patch: str | None = None
    sha256: str | None = None
    archive: Kind | None = None
    root: str | None = None


class Oracle(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which effect decides, with the parameters of PROOF.md's table; `class` is `report_class` here."""

    kind: str
    report_class: str | None = msgspec.field(default=None, name="class")
    access: str | None = None
    functions: tuple[str, ...] = ()
    to: int | str | None = None
    context: Literal["html", "script"] | None = None
    sizes: tuple[int, ...] = ()
    cpu_seconds: float | None = None
    resource: Literal["cpu", "memory", "stack"] | None = None
    exception: str | None = None


class Variant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Another way to the same flaw; what it leaves out is the proof's own."""

    input: Input | None = None
    args: tuple[str, ...] | None = None
    functions: tuple[str, ...] | None = None


class Feature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A benign use that must work: the whole stdout, stripped, and/or the word on fd 3."""

    input: Input
    args: tuple[str, ...] = ()
    output: str | None = None
    seen: Literal["accepted", "refused", "polluted", "clean"] | None = None


class Ladder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The finder's statement about versions; observed when asked for, never believed."""

    fires: tuple[str, ...] = ()
    clean: tuple[str, ...] = ()


class Wishes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Limits that the finder wishes; the hub caps them."""

    wall_seconds: float | None = None
    memory_mb: int | None = None


class Server(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A harness's server on loopback."""

    status: int = 200
    location: str | None = None
    body: str = ""
    headers: dict[str, str] = {}


class _ProofFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: int
    title: str
    weakness: str
    harness: str
    input: Input
    target: Side
    oracle: Oracle
    args: tuple[str, ...] = ()
    control: Side | None = None
    ladder: Ladder = Ladder()
    limits: Wishes = Wishes()
    variant: tuple[Variant, ...] = ()
    feature: tuple[Feature, ...] = ()


class _HarnessFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: int
    version: int
    targets: tuple[str, ...] = msgspec.field(name="for")
    command: tuple[str, ...]
    feature: tuple[Feature, ...]
    archive: Kind | None = None
    root: str = "."
    packages: tuple[str, ...] = msgspec.field(name="with", default=())
    build: str | None = None
    sanitizers: tuple[Literal["address", "undefined"], ...] = ()
    stdin: bool = False
    env: dict[str, str] = {}
    servers: dict[str, Server] = {}
    preconditions: dict[str, str] = {}


class Folder(msgspec.Struct, frozen=True):
    """The bytes of a folder, read once; everything later works on these, so nothing can change underneath."""

    files: dict[str, bytes]
    sha256: str

    def read(self, name: str) -> bytes:
        """Return a file by its name beneath the folder; raise Invalid."""
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or str(path) == ".":
            raise Invalid(f"{name[:120]!r} does not lie beneath its folder")
        try:
            return self.files[str(path)]
        except KeyError:
            raise Invalid(f"the folder has no file {name[:120]!r}") from None

    def write(self, into: Path) -> None:
        """Write the files beneath a new folder, readable by everyone, as the box needs them."""
        into.mkdir(mode=0o755, parents=True)
        into.chmod(0o755)
        for name, content in self.files.items():
            place = into / name
            for folder in reversed(place.relative_to(into).parents):
                (into / folder).mkdir(mode=0o755, exist_ok=True)
                (into / folder).chmod(0o755)
            place.write_bytes(content)
            # Modes do not travel with a proof: a program is told by how it begins.
            place.chmod(0o755 if content.startswith((b"#!", b"\x7fELF")) else 0o644)


class Harness(msgspec.Struct, frozen=True):
    """A harness, read and checked. `assurance` is `hub` exactly when this folder's hash is in the hub's registry."""

    name: str
    assurance: Literal["hub", "finder"]
    folder: Folder
    file: _HarnessFile

    def preconditions_of(self, arguments: tuple[str, ...]) -> tuple[str, ...]:
        """What must be true of an application for these arguments to tell anything."""
        return tuple(text for key, text in self.file.preconditions.items() if key == "*" or key in arguments)


class Proof(msgspec.Struct, frozen=True):
    """A proof, read and checked, with its harness and every feature (the harness's and its own)."""

    folder: Folder
    file: _ProofFile
    harness: Harness

    @property
    def features(self) -> tuple[Feature, ...]:
        """The harness's features, then the proof's."""
        return self.harness.file.feature + self.file.feature


def read_proof(folder: Path, registry: Path | None) -> Proof:
    """Read a proof folder and the harness that it names (in `registry`, or its own); raise Invalid or NotFound, naming the key."""
    return proof_of(read_folder(folder), registry)


def proof_of(own: Folder, registry: Path | None) -> Proof:
    """Like `read_proof`, for a folder that arrived another way."""
    file = _decode(own, "proof.toml", _ProofFile)
    if file.format != 1:
        raise Invalid(f"proof.toml: format {file.format} is not known; this hub reads format 1")
    parse_cwe(file.weakness)
    harness = _find_harness(file.harness, own, registry)
    proof = Proof(own, file, harness)
    _check_proof(proof)
    return proof


def read_folder(folder: Path) -> Folder:
    """Read every file beneath `folder`; raise Invalid for a link, a special file, a hostile name or too much."""
    if not folder.is_dir() or folder.is_symlink():
        raise NotFound(f"{str(folder)!r} is not a folder") if not folder.is_symlink() else Invalid(f"{str(folder)!r} is a link")
    files: dict[str, bytes] = {}
    total = 0
    for place, folders, names in os.walk(folder, followlinks=False):
        for name in [*folders, *names]:
            path = Path(place) / name
            relative = path.relative_to(folder).as_posix()
            mode = path.lstat().st_mode
            if stat.S_ISLNK(mode):
                raise Invalid(f"the folder holds a link: {relative[:120]!r}; put the file itself there")
            if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                raise Invalid(f"the folder holds a special file: {relative[:120]!r}")
            if not relative.isprintable() or len(relative) > 300:
                raise Invalid(f"the folder holds a name that cannot be used: {relative[:120]!r}")
            if stat.S_ISDIR(mode):
                continue
            total += path.lstat().st_size
            if total > _FOLDER_MAX or len(files) >= _FILES_MAX:
                raise Invalid(_TOO_LARGE)
            files[relative] = _read_plain(path, relative)
        folders[:] = [name for name in folders if name != "__pycache__"]
    files = {name: content for name, content in sorted(files.items()) if "__pycache__" not in name}
    return from_files(files)


def from_files(files: dict[str, bytes]) -> Folder:
    """Make a folder of files that arrived another way (inside a report); names and sizes are checked like those on disk."""
    digest = hashlib.sha256()
    if len(files) > _FILES_MAX or sum(map(len, files.values())) > _FOLDER_MAX:
        raise Invalid(_TOO_LARGE)
    for name, content in sorted(files.items()):
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or str(path) != name or not name.isprintable() or len(name) > 300:
            raise Invalid(f"the folder holds a name that cannot be used: {name[:120]!r}")
        if any(str(parent) in files for parent in path.parents):
            raise Invalid(f"the folder holds {str(path.parent)[:120]!r} as a file and as a folder")
        digest.update(f"{len(name.encode())}:{name}{len(content)}:".encode() + content)
    return Folder(files, digest.hexdigest())


def input_bytes(recipe: Input, folder: Folder, n: int | None = None) -> bytes:
    """Return the input's bytes; `n` is the size for parts repeated "n" times. Raises Invalid past 64 MB."""
    if recipe.file is not None:
        content = folder.read(recipe.file)
    elif recipe.text is not None:
        content = recipe.text.encode("utf-8")
    elif recipe.hex is not None:
        try:
            content = bytes.fromhex(recipe.hex)
        except ValueError as error:
            raise Invalid(f"an input's hex is not hexadecimal: {error}") from error
    else:
        content = _join_parts(recipe.parts or (), n)
    if len(content) > INPUT_MAX:
        raise Invalid("an input is larger than 64 MB")
    return content


def _join_parts(parts: tuple[str | Repeat, ...], n: int | None) -> bytes:
    expanded, size = [], 0
    for part in parts:
        text, times = (part, 1) if isinstance(part, str) else part
        if isinstance(times, str):
            if n is None:
                raise Invalid('an input grows with "n", but nothing gives its size (only the growth and exhaustion oracles do)')
            times = n
        encoded = text.encode("utf-8")
        size += len(encoded) * times
        if times < 0 or size > INPUT_MAX:
            raise Invalid("an input's parts make more than 64 MB, or are repeated fewer than 0 times")
        expanded.append(encoded * times)
    return b"".join(expanded)


def _read_plain(path: Path, relative: str) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise Invalid(f"{relative!r} cannot be read: {error.strerror}") from error
    with os.fdopen(descriptor, "rb") as stream:
        content = stream.read(INPUT_MAX + 1)
    if len(content) > INPUT_MAX:
        raise Invalid(f"{relative!r} is larger than 64 MB")
    return content


def _decode(folder: Folder, name: str, kind: type[_Struct]) -> _Struct:
    if name not in folder.files:
        raise Invalid(f"the folder has no {name}")
    content = folder.files[name]
    if len(content) > _TOML_MAX:
        raise Invalid(f"{name} is larger than {_TOML_MAX >> 20} MB; put long inputs into files")
    try:
        raw: Any = tomllib.loads(content.decode("utf-8"))
        return msgspec.convert(raw, type=kind, strict=True)
    except UnicodeDecodeError as error:
        raise Invalid(f"{name} is not UTF-8: {error.reason} at byte {error.start}") from error
    except RecursionError as error:
        raise Invalid(f"{name} is nested too deeply") from error
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise Invalid(f"{name}: {error}") from error


def _find_harness(named: str, own: Folder, registry: Path | None) -> Harness:
    if named.startswith("./"):
        name = named[2:].rstrip("/")
        if not _NAME.fullmatch(name):
            raise Invalid(f"harness = {named[:120]!r}: a harness of one's own is one folder inside the proof, ./NAME")
        inside = {k.removeprefix(name + "/"): v for k, v in own.files.items() if k.startswith(name + "/")}
        if not inside:
            raise Invalid(f"harness = {named!r}: the proof has no such folder")
        folder = from_files(inside)
        return _harness(name, "hub" if folder.sha256 in _registered(registry) else "finder", folder)
    if not _NAME.fullmatch(named):
        raise Invalid(f"harness = {named[:120]!r} is not a name")
    if registry is None:
        raise NotFound(f"the harness {named!r} is the hub's; say where those are with --harnesses DIR")
    if not (registry / named).is_dir():
        raise Invalid(f"harness = {named!r}: the registry has no such harness")
    return _harness(named, "hub", read_folder(registry / named))


def _registered(registry: Path | None) -> set[str]:
    if registry is None or not registry.is_dir():
        return set()
    return {read_folder(place).sha256 for place in sorted(registry.iterdir()) if (place / "harness.toml").is_file()}


def _harness(name: str, assurance: Literal["hub", "finder"], folder: Folder) -> Harness:
    file = _decode(folder, "harness.toml", _HarnessFile)
    if file.format != 1:
        raise Invalid(f"harness.toml: format {file.format} is not known; this hub reads format 1")
    if not file.command or Path(file.command[0]).name in _SHELLS:
        raise Invalid("harness.toml: command is an argument vector that names a program, never a shell")
    if not file.feature:
        raise Invalid("harness.toml: at least one [[feature]] must show that the package works")
    if not file.targets:
        raise Invalid("harness.toml: `for` names no package")
    for purl in (*file.targets, *file.packages):
        _purl(purl, "harness.toml")
    for purl in file.packages:
        if _purl(purl, "harness.toml").version is None:
            raise Invalid(f"harness.toml: with = {purl!r} must name an exact version")
    if file.build is not None:
        folder.read(file.build)
    check_call(file.command, file.env)
    for port, server in file.servers.items():
        if not port.isdigit() or not 1024 <= int(port[:6]) <= 65535:
            raise Invalid(f"harness.toml: [servers] {port[:20]!r} is not a port from 1024 to 65535")
        if not 100 <= server.status <= 599:
            raise Invalid(f"harness.toml: [servers] {port}: status {server.status} is not an HTTP status")
        for text in (server.location or "", *server.headers, *server.headers.values()):
            if not text.isprintable():
                raise Invalid(f"harness.toml: [servers] {port}: a header holds a line break or control character")
    for feature in file.feature:
        _check_feature(feature, folder, "harness.toml")
    _check_relative(file.root, "harness.toml: root")
    return Harness(name, assurance, folder, file)


def _check_proof(proof: Proof) -> None:
    file = proof.file
    target = _purl(file.target.purl or "", "proof.toml [target]")
    if file.target.patch is not None:
        raise Invalid("proof.toml [target]: a patch is only for the control")
    component = _component(target)
    if component not in {_component(_purl(p, "harness.toml")) for p in proof.harness.file.targets}:
        raise Invalid(f"the harness {proof.harness.name!r} is for {', '.join(proof.harness.file.targets)}, not for {component}")
    if target.version is None:
        raise Invalid("proof.toml [target]: purl must name an exact version")
    _check_once((target.to_string(), *proof.harness.file.packages), "harness.toml: with, beside the target,")
    if file.control is not None:
        if (file.control.purl is None) == (file.control.patch is None):
            raise Invalid("proof.toml [control]: give exactly one of purl and patch")
        if file.control.purl is not None and _purl(file.control.purl, "proof.toml [control]").version is None:
            raise Invalid("proof.toml [control]: purl must name an exact version")
        if file.control.patch is not None:
            proof.folder.read(file.control.patch)
    for name, side in (("target", file.target), ("control", file.control)):
        if side is not None and side.sha256 is not None and not _SHA256.fullmatch(side.sha256):
            raise Invalid(f"proof.toml [{name}]: sha256 is 64 hexadecimal digits")
        if side is not None and side.root is not None:
            _check_relative(side.root, f"proof.toml [{name}] root")
    _check_oracle(file.oracle, proof)
    for feature in file.feature:
        _check_feature(feature, proof.folder, "proof.toml")
    for arguments in (file.args, *(v.args or () for v in file.variant), *(feature.args for feature in proof.features)):
        check_words(arguments, "args")
    sizes = file.oracle.sizes or (None,)
    for recipe in (file.input, *(v.input for v in file.variant if v.input is not None)):
        _check_input(recipe, proof.folder, "proof.toml", max(sizes, key=lambda n: n or 0))


def _check_oracle(oracle: Oracle, proof: Proof) -> None:
    kind = oracle.kind
    if kind not in _KINDS:
        raise Invalid(f"proof.toml [oracle]: kind {kind[:40]!r} is not one of {', '.join(_KINDS)}")
    allowed = {
        "sanitizer": {"report_class", "access", "functions"},
        "leak": {"to"},
        "other_user": {"to"},
        "request": {"to"},
        "output": {"context"},
        "growth": {"sizes", "cpu_seconds"},
        "exhaustion": {"resource", "cpu_seconds", "exception", "sizes"},
    }.get(kind, set())
    given = {name for name in oracle.__struct_fields__ if name != "kind" and getattr(oracle, name) not in (None, ())}
    if given - allowed:
        names = ", ".join(sorted(name.replace("report_class", "class") for name in given - allowed))
        raise Invalid(f"proof.toml [oracle]: {names} is not a parameter of {kind}")
    ports = {int(port) for port in proof.harness.file.servers}
    if kind == "sanitizer" and (not oracle.report_class or not oracle.functions):
        raise Invalid("proof.toml [oracle]: sanitizer needs class and functions")
    if kind in {"leak", "other_user"} and oracle.to is not None and (not isinstance(oracle.to, int) or oracle.to not in ports):
        raise Invalid(f"proof.toml [oracle]: {kind}'s `to` is the port of one of the harness's servers")
    if kind == "request":
        port, _, _ = str(oracle.to or "").partition("/")
        if not isinstance(oracle.to, str) or "/" not in oracle.to or not port.isdigit() or int(port) not in ports:
            raise Invalid("proof.toml [oracle]: request's `to` is \"PORT/path\" of one of the harness's servers")
    if kind == "output" and oracle.context is None:
        raise Invalid('proof.toml [oracle]: output needs context = "html" or "script"')
    if kind == "growth":
        rising = all(a < b for a, b in zip(oracle.sizes, oracle.sizes[1:], strict=False))
        if len(oracle.sizes) < 2 or len(oracle.sizes) > 8 or oracle.sizes[0] < 1 or not rising or oracle.cpu_seconds is None:
            raise Invalid("proof.toml [oracle]: growth needs cpu_seconds and two to eight rising sizes")
        if not proof.file.input.grows:
            raise Invalid('proof.toml: growth needs an input with a part repeated "n" times')
    if kind == "exhaustion" and oracle.resource is None and oracle.exception is None:
        raise Invalid("proof.toml [oracle]: exhaustion needs a resource or an exception")
    if oracle.cpu_seconds is not None and not 0 < oracle.cpu_seconds <= 600:
        raise Invalid("proof.toml [oracle]: cpu_seconds is more than 0 and at most 600")
    if kind in TWO_WORDS:
        seen = {feature.seen for feature in proof.features}
        if not {"accepted", "refused"} <= seen:
            raise Invalid(f"{kind}: the features must show one genuine accepted and one wrong refused (seen = ...)")


def _check_feature(feature: Feature, folder: Folder, where: str) -> None:
    if feature.output is None and feature.seen is None:
        raise Invalid(f"{where} [[feature]]: give the output, the word seen on fd 3, or both")
    _check_input(feature.input, folder, f"{where} [[feature]]", None)


def _check_input(recipe: Input, folder: Folder, where: str, n: int | None) -> None:
    given = [name for name in ("file", "text", "hex", "parts") if getattr(recipe, name) is not None]
    if len(given) != 1:
        raise Invalid(f"{where}: an input is exactly one of file, text, hex and parts")
    for part in recipe.parts or ():
        if not isinstance(part, str) and isinstance(part[1], str) and part[1] != "n":
            raise Invalid(f'{where}: a part is repeated a number of times or "n" times, not {part[1][:20]!r}')
    input_bytes(recipe, folder, n)


def _check_relative(name: str, where: str) -> None:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not name or len(name) > 300:
        raise Invalid(f"{where} {name[:120]!r} does not lie beneath the archive")


def _purl(text: str, where: str) -> PackageURL:
    try:
        return PackageURL.from_string(text)
    except ValueError as error:
        raise Invalid(f"{where}: {text[:120]!r} is not a package URL, such as pkg:pypi/ujson@5.1.0") from error


def _check_once(purls: tuple[str, ...], where: str) -> None:
    """A search path holds a package once: of two versions the second would never be found, and for npm both claim one name."""
    seen: set[str] = set()
    for purl in purls:
        if (component := _component(_purl(purl, where))) in seen:
            raise Invalid(f"{where} names {component} twice; one version of a package is on the search path")
        seen.add(component)


def _component(purl: PackageURL) -> str:
    return PackageURL(purl.type, purl.namespace, purl.name).to_string()
