# SPDX-License-Identifier: Apache-2.0
"""A laboratory: planted flaws of our own, packed as wheels, sdists and npm packages, served by an index of our own on loopback."""

import base64
import gzip
import hashlib
import http.server
import io
import json
import tarfile
import threading
import zipfile
from pathlib import Path
from urllib.parse import unquote

from clearwell.proving.archives import Registry
from clearwell.proving.attempt import Settings
from clearwell.proving.folder import Proof, read_proof
from clearwell.proving.reproduction import reproduce
from clearwell.proving.sandbox import Sandbox
from clearwell.proving.verdict import Verdict


def sdist(files: dict[str, str | bytes], top: str = "sample-1.0") -> bytes:
    """Return a .tar.gz whose files lie under one folder, as an sdist's do."""
    return tar({f"{top}/{name}": content for name, content in files.items()})


def tar(files: dict[str, str | bytes], members: tuple[tarfile.TarInfo, ...] = ()) -> bytes:
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as packed, tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        for info in members:
            archive.addfile(info, io.BytesIO(b"\0" * info.size))
    return buffer.getvalue()


def write_folder(place: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        file = place / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
    return place


class Index:
    """A package index of our own on loopback: PEP 503 pages and npm documents for the archives that a test adds."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        index = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                index.asked.append(self.path)
                kind, body = index.answer(self.path)
                self.send_response(200 if body is not None else 404)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *_: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        self.environment = {"CLEARWELL_PYPI_INDEX": f"{self.address}/simple", "CLEARWELL_NPM_REGISTRY": f"{self.address}/npm"}
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def answer(self, path: str) -> tuple[str, bytes | None]:
        area, _, rest = path.lstrip("/").partition("/")
        if area == "files":
            return "application/octet-stream", self.files.get(rest)
        name = unquote(rest.strip("/"))
        if area == "simple":
            found = [f for f in self.files if f.rsplit("/")[-1].lower().startswith(f"{name}-") and not f.endswith(".tgz")]
            links = [f'<a href="/files/{f}#sha256={hashlib.sha256(self.files[f]).hexdigest()}">{f}</a>' for f in found]
            return "text/html", f"<html><body>{''.join(links)}</body></html>".encode() if found else None
        found = [f for f in self.files if f.startswith(f"{name}-") and f.endswith(".tgz")]
        versions = {
            f.removeprefix(f"{name}-").removesuffix(".tgz"): {
                "dist": {
                    "tarball": f"{self.address}/files/{f}",
                    "integrity": "sha512-" + base64.b64encode(hashlib.sha512(self.files[f]).digest()).decode(),
                }
            }
            for f in found
        }
        return "application/json", json.dumps({"versions": versions}).encode() if found else None


def wheel(name: str, version: str, files: dict[str, str]) -> tuple[str, bytes]:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, content in {**files, f"{name}-{version}.dist-info/METADATA": f"Name: {name}\nVersion: {version}\n"}.items():
            archive.writestr(path, content)
    return f"{name}-{version}-py3-none-any.whl", buffer.getvalue()


NOTES = """
import json

FIXED = False

def evaluate(text):
    return None if FIXED else eval(text)

def save(name):
    if FIXED and (name.startswith("/") or ".." in name):
        raise ValueError("outside")
    open("/box/root/" + name if not name.startswith("/") else name, "w").write("note")

def load(name):
    if FIXED and ".." in name:
        raise ValueError("outside")
    return open("/box/root/../root/" + name).read()

def html(text):
    return "<p>" + (text.replace("&", "&amp;").replace("<", "&lt;") if FIXED else text) + "</p>"

def script(text):
    return json.dumps(text).replace("<", "\\\\u003c") if FIXED else json.dumps(text)

def is_allowed(word):
    return word == "right" or (word == "" and not FIXED)

def fetch(url, data=None):
    if FIXED:
        raise ValueError("not allowed")
    import urllib.request
    return urllib.request.urlopen(url, data, timeout=2).status

def nest(text, depth=0):
    if FIXED and depth > 100:
        raise ValueError("too deep")
    return nest(text[1:], depth + 1) if text.startswith("[") else depth

def grow(text):
    kept = []
    for _ in range(10 if FIXED else 10 ** int(text)):
        kept.append(bytearray(4 << 20))
    return len(kept)

def spin(text):
    count = 0
    while count < (10 if FIXED else 10 ** int(text)):
        count += 1
    return count

def slow(text):
    return 0 if FIXED else sum(1 for i in range(len(text)) for j in range(i) if text[i] == "|")

def sometimes(name):
    import random
    if random.SystemRandom().random() < 0.5:
        open(name, "w").write("x")
"""

NOTES_RUN = """
import os, sys, time
import notes

verb, text = sys.argv[1], sys.stdin.read()
if verb == "echo":
    print("ok")
elif verb == "eval":
    notes.evaluate(text)
elif verb in ("save", "sometimes"):
    getattr(notes, verb)(text)
elif verb == "check":
    os.write(3, b"accepted" if notes.is_allowed(text) else b"refused")
elif verb == "get":
    print(notes.fetch(text))
elif verb == "send":
    print(notes.fetch("http://127.0.0.1:8090/", open(text, "rb").read()))
elif verb == "sleep":
    time.sleep(float(text))
else:
    print(getattr(notes, verb)(text))
"""

NOTES_HARNESS = """format = 1
version = 1
for = ["pkg:pypi/notes"]
command = ["python3", "{harness}/h.py", "{args}"]
stdin = true
[servers]
8090 = { status = 200 }
[preconditions]
"*" = "always said"
"eval" = "the application evaluates notes"
[[feature]]
input = { text = "" }
args = ["echo"]
output = "ok"
[[feature]]
input = { text = "right" }
args = ["check"]
seen = "accepted"
[[feature]]
input = { text = "wrong" }
args = ["check"]
seen = "refused"
[[feature]]
input = { text = "x" }
args = ["html"]
output = "<p>x</p>"
"""

NAME_C = """#include <stdlib.h>
#include <string.h>
#include "name.h"
char *cname_copy(const char *name, size_t size) {
  char *copy = calloc(8, 1);
  for (size_t i = 0; i <= size; i++)
    copy[i] = i < size ? name[i] : 0;
  return copy;
}
int cname_scale(int value) { return value + 1; }
"""

NAME_H = "#include <stddef.h>\nchar *cname_copy(const char *, size_t);\nint cname_scale(int);\n"

NAME_RUN_C = """#include <stdio.h>
#include <stdlib.h>
#include "name.h"
int main(int count, char **words) {
  char line[256];
  size_t size = fread(line, 1, sizeof line - 1, stdin);
  line[size] = 0;
  if (count > 1) { printf("%d\\n", cname_scale(atoi(line))); return 0; }
  char *copy = cname_copy(line, size);
  printf("%s\\n", copy);
  free(copy);
  return 0;
}
"""

NAME_HARNESS = """format = 1
version = 1
for = ["pkg:pypi/cname"]
archive = "sdist"
root = "src/*"
build = "build.sh"
sanitizers = ["SANITIZER"]
command = ["{build}/h", "{args}"]
stdin = true
[[feature]]
input = { text = "ann" }
ARGUMENTS
"""

MERGE_JS = """module.exports = function merge(into, from) {
  for (const key of Object.keys(from)) {
    if (typeof from[key] === "object" && typeof into[key] === "object") merge(into[key], from[key]); else into[key] = from[key];
  }
  return into;
};
"""

MERGE_RUN = """const merge = require("merge-it");
const fs = require("fs");
console.log(JSON.stringify(merge({}, JSON.parse(fs.readFileSync(0, "utf8")))));
fs.writeSync(3, ({}).polluted === undefined ? "clean" : "polluted");
"""

MERGE_HARNESS = """format = 1
version = 1
for = ["pkg:npm/merge-it"]
command = ["node", "{harness}/h.js"]
stdin = true
[[feature]]
input = { text = '{"a": 1}' }
output = '{"a":1}'
seen = "clean"
"""


class Lab:
    """An index full of planted flaws, a registry of harnesses and a place for proofs; `prove` runs one with a cache of its own."""

    def __init__(self, place: Path, index: Index, sandbox: Sandbox, cache: Path) -> None:
        self.place, self.index, self.sandbox, self.cache = place, index, sandbox, cache
        self.settings = Settings(runs=1, memory_mb=192, least_cpu_seconds=0.4, least_wall_seconds=0.2)
        self.count = 0
        for version, fixed in (("1.0", "False"), ("1.1", "True")):
            name, content = wheel("notes", version, {"notes.py": NOTES.replace("FIXED = False", f"FIXED = {fixed}")})
            index.files[name] = content
        source = {
            "src/lib/name.c": NAME_C,
            "src/lib/name.h": NAME_H,
        }
        index.files["cname-1.0.tar.gz"] = sdist(source, "cname-1.0")
        fixed_c = NAME_C.replace("i <= size;", "i <= size && i < 8;").replace("i < size ?", "i < size && i < 7 ?")
        index.files["cname-1.1.tar.gz"] = sdist(source | {"src/lib/name.c": fixed_c}, "cname-1.1")
        link = tarfile.TarInfo("cname-6.6/src/lib/evil")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        index.files["cname-6.6.tar.gz"] = tar({f"cname-6.6/{name}": content for name, content in source.items()}, (link,))
        package = {"package/package.json": '{"name": "merge-it", "version": "1.0.0", "main": "m.js"}', "package/m.js": MERGE_JS}
        index.files["merge-it-1.0.0.tgz"] = tar(package)
        self.harness("notes", {"harness.toml": NOTES_HARNESS, "h.py": NOTES_RUN})
        build = '$CC $CFLAGS -I"$SRC" "$SRC/name.c" /box/harness/h.c -o "$OUT/h"\n'
        plain = NAME_HARNESS.replace("SANITIZER", "address").replace("ARGUMENTS", 'output = "ann"')
        undefined = NAME_HARNESS.replace("SANITIZER", "undefined").replace("ARGUMENTS", 'args = ["scale"]\noutput = "1"')
        self.harness("cname", {"harness.toml": plain, "build.sh": build, "h.c": NAME_RUN_C})
        self.harness("cname-undefined", {"harness.toml": undefined, "build.sh": build, "h.c": NAME_RUN_C})
        self.harness("merge", {"harness.toml": MERGE_HARNESS, "h.js": MERGE_RUN})

    def harness(self, name: str, files: dict[str, str | bytes]) -> None:
        write_folder(self.place / "harnesses" / name, files)

    def proof(
        self,
        harness: str,
        *,
        oracle: str,
        verb: str | None = None,
        text: str = "",
        input: str | None = None,
        purl: str = "pkg:pypi/notes@1.0",
        target: str | None = None,
        control: str | None = None,
        more: str = "",
        files: dict[str, str | bytes] | None = None,
    ) -> Path:
        lines = ["format = 1", 'title = "a planted flaw"', 'weakness = "CWE-1"', f'harness = "{harness}"']
        lines += [f'args = ["{verb}"]'] if verb else []
        lines += [input or f"input = {{ text = {json.dumps(text)} }}"]
        lines += ["[target]", target or f'purl = "{purl}"', *(["[control]", control] if control else []), "[oracle]", oracle, more]
        self.count += 1
        return write_folder(self.place / f"proof-{self.count}", {"proof.toml": "\n".join(lines) + "\n", **(files or {})})

    def c_proof(
        self,
        *,
        harness: str = "cname",
        functions: str = '["cname_copy"]',
        text: str = "elevenchars",
        purl: str = "pkg:pypi/cname@1.0",
        oracle: str | None = None,
        control: str | None = None,
        files: dict[str, str | bytes] | None = None,
    ) -> Path:
        own = oracle or f'kind = "sanitizer"\nclass = "heap-buffer-overflow"\naccess = "WRITE"\nfunctions = {functions}'
        more = "" if oracle else '[[variant]]\ninput = { text = "twelve chars" }\n'
        verb = "scale" if harness == "cname-undefined" else None
        return self.proof(harness, oracle=own, text=text, verb=verb, purl=purl, control=control, more=more, files=files)

    def registry(self, *, offline: bool = False) -> Registry:
        return Registry(self.cache, offline=offline, environment=self.index.environment)

    def read(self, proof: Path) -> Proof:
        return read_proof(proof, self.place / "harnesses")

    def prove(self, proof: Path, *, offline: bool = False, runs: int = 1) -> Verdict:
        registry = self.registry(offline=offline)
        settings = Settings(runs=runs, memory_mb=192, least_cpu_seconds=0.4, least_wall_seconds=0.2)
        try:
            return reproduce(proof, self.place / "harnesses", settings, sandbox=self.sandbox, registry=registry).verdict
        finally:
            registry.close()
