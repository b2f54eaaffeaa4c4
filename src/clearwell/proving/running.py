# SPDX-License-Identifier: Apache-2.0
"""One run of a harness's command in the box: paths, search paths, the canary, fd 3, the sanitizer's report out of the target's reach."""

import functools
import hashlib
import secrets
from pathlib import Path

import msgspec

from clearwell.proving.environments import Environment, libasan
from clearwell.proving.folder import Harness
from clearwell.proving.sandbox import Limits, Result, Sandbox, Server, Spec
from clearwell.proving.sanitizer_report import Sources, files_beneath, marked_reports

WORDS = ("accepted", "refused", "polluted", "clean")
_SANITIZER_EXIT = 86


class Observation(msgspec.Struct, frozen=True):
    """What one run showed: the sandbox's result, the run's token, the word on fd 3 (None unless exactly one), sanitizer reports.

    `sources` are the names by which a report's relative ones are told; empty where there is no report.
    `is_compiled` is true when the package holds compiled modules, which leave no frames in a traceback. `harness_files` are names of the
    harness's files: Java's stack traces name a file without its folder. `runtime` is what runs the command (python, node, java; empty for
    any other program), `given` what the run was given, input and arguments: what a runtime says is no evidence when the input holds it.
    """

    result: Result
    token: str
    word: str | None
    reports: tuple[str, ...]
    sources: Sources = Sources()
    is_compiled: bool = False
    harness_files: frozenset[str] = frozenset()
    runtime: str = ""
    given: bytes = b""

    @property
    def stdout(self) -> str:
        """Standard output as text; bytes that are none become U+FFFD."""
        return self.result.stdout.decode("utf-8", "replace")


class Bench(msgspec.Struct, frozen=True):
    """Where one proof's runs happen: its two folders, as written for the box, the sandbox, and what covers the sanitizers' runtimes."""

    sandbox: Sandbox
    proof_folder: Path
    harness_folder: Path
    harness: Harness
    scratch: Path
    runtimes: tuple[tuple[Path, str], ...] = ()

    def observe(self, environment: Environment, content: bytes, arguments: tuple[str, ...], limits: Limits) -> Observation:
        """Run the harness's command once on an input; a fresh token and a fresh place for reports every time."""
        token, nonce = secrets.token_hex(16), secrets.token_hex(16)
        file = self.scratch / f"input-{secrets.token_hex(8)}"
        file.write_bytes(content)
        file.chmod(0o644)
        reports = f"/box/.reports-{nonce}"
        try:
            result = self.sandbox.run(self._spec(environment, file, arguments, limits, token, reports))
        finally:
            file.unlink()
        written = _written(result, reports)
        sources = _sources(environment, self.harness) if written else Sources()
        compiled = _is_compiled(environment.source, environment.build)
        ours = frozenset(name.rpartition("/")[2] for name in self.harness.folder.files)
        given = b"\n".join([content, *(argument.encode() for argument in arguments)]) if arguments else content
        runtime = _runtime(self.harness.file.command[0])
        return Observation(result, token, _word(result.said), written, sources, compiled, ours, runtime, given)

    def _spec(self, env: Environment, file: Path, arguments: tuple[str, ...], limits: Limits, token: str, reports: str) -> Spec:
        binds = [(file, "/box/input"), (self.proof_folder, "/box/proof"), (self.harness_folder, "/box/harness"), (env.source, "/box/src")]
        symlinks = []
        if self.harness.file.sanitizers:
            binds += self.runtimes
        path = ["/box/src"]
        if env.build is not None:
            binds.append((env.build, "/box/build"))
            path.insert(0, "/box/build")
        if env.module is not None:
            # A link, so that a module and its frames are the ones in /box/src; its own dependencies lie beside it.
            symlinks.append(("/box/src", f"/box/node_modules/{env.module}"))
        for number, (name, place) in enumerate(env.packages):
            inside = f"/box/with/{number}"
            binds.append((place, inside))
            if env.module is not None:
                symlinks.append((inside, f"/box/node_modules/{name}"))
            else:
                path.append(inside)
        return Spec(
            argv=command(self.harness, arguments),
            env=environment_variables(self.harness, ":".join(path), reports),
            binds=tuple(binds),
            files={"/box/secret/canary.txt": token.encode()},
            symlinks=tuple(symlinks),
            stdin=file if self.harness.file.stdin else None,
            writable=("/box/root", "/box/out", "/tmp", "/dev/shm", reports),  # noqa: S108 - paths in the box
            collect=("/box/out", reports),
            servers=tuple(_server(int(port), s.status, s.location, s.headers, s.body) for port, s in self.harness.file.servers.items()),
            limits=limits,
        )


def command(harness: Harness, arguments: tuple[str, ...]) -> tuple[str, ...]:
    """Expand a harness's argument vector; python runs without site-packages."""
    places = {"{input}": "/box/input", "{harness}": "/box/harness", "{build}": "/box/build"}
    vector: list[str] = []
    for word in harness.file.command:
        if word == "{args}":
            vector += [places.get(argument, argument) for argument in arguments]
            continue
        for name, place in places.items():
            word = word.replace(name, place)
        vector.append(word)
    if vector[0] in {"python", "python3", "/usr/bin/python3"}:
        return ("/usr/bin/python3", "-S", "-s", *vector[1:])
    if vector[0] == "node":
        return ("/usr/bin/node", *vector[1:])
    return tuple(vector)


def environment_variables(harness: Harness, search_path: str, reports: str) -> dict[str, str]:
    """The whole environment of a target: nothing of the hub's, the harness's own, and where a sanitizer writes."""
    env = {
        "PATH": "/usr/bin:/bin",
        "HOME": "/box/root",
        "TMPDIR": "/tmp",  # noqa: S108 - the box's own
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONPATH": search_path,
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "NODE_PATH": "/box/node_modules",
    }
    for name, value in harness.file.env.items():
        env[name] = value.replace("{libasan}", libasan()).replace("{harness}", "/box/harness").replace("{build}", "/box/build")
    # Last, so that a harness cannot move it: echoed text on stderr is then no report.
    fixed = f"log_path={reports}/report:exitcode={_SANITIZER_EXIT}:detect_leaks=0:abort_on_error=0:handle_abort=0"
    env["ASAN_OPTIONS"] = ":".join(filter(None, [env.get("ASAN_OPTIONS"), fixed]))
    undefined = f"log_path={reports}/report:exitcode={_SANITIZER_EXIT}:print_stacktrace=1:report_error_type=1:halt_on_error=0"
    undefined += f':stack_trace_format="{_mark(reports)}    #%n %p %F %L"'
    env["UBSAN_OPTIONS"] = ":".join(filter(None, [env.get("UBSAN_OPTIONS"), undefined]))
    return env


def _written(result: Result, reports: str) -> tuple[str, ...]:
    """The texts that sanitizers wrote, AddressSanitizer's own files first; their name and their mark are known to the runtime alone."""
    mark = _mark(reports)
    texts = [entry.content.decode("utf-8", "replace") for entry in result.files.get(reports, ()) if entry.kind == "file"]
    if mark.encode() in result.stderr:
        texts.append(marked_reports(result.stderr.decode("utf-8", "replace"), mark))
    return tuple(text.replace(mark, "") for text in texts)


def _mark(reports: str) -> str:
    return f"[{hashlib.sha256(reports.encode()).hexdigest()[:32]}]"


def _sources(environment: Environment, harness: Harness) -> Sources:
    places = [("/box/src", environment.source)]
    if environment.build is not None:
        places.append(("/box/build", environment.build))
    project = frozenset(f"{inside}/{name}" for inside, place in places for name in files_beneath(place))
    return Sources(project, frozenset(harness.folder.files))


@functools.cache
def _is_compiled(*places: Path | None) -> bool:
    return any(name.endswith((".so", ".node")) for place in places if place is not None for name in files_beneath(place))


def _runtime(program: str) -> str:
    name = Path(program).name
    return next((runtime for runtime in ("python", "node", "java") if name.startswith(runtime)), "")


def _server(port: int, status: int, location: str | None, headers: dict[str, str], body: str) -> Server:
    lines = [*headers.items()]
    if location is not None:
        lines.append(("Location", location))
    return Server(port, status, tuple(lines), body)


def _word(said: bytes) -> str | None:
    words = said.split()
    if len(words) == 1 and words[0].decode("latin-1") in WORDS:
        return words[0].decode("latin-1")
    return None
