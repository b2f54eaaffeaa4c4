# SPDX-License-Identifier: Apache-2.0
"""Where the package registries are: our setting, then the clients' settings, then the libraries' constants. Never a merge."""

import configparser
import functools
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from packageurl.contrib import purl2url

from clearwell.vocabulary.errors import Invalid

_NPMRC_LINE = re.compile(r"^\s*(?P<key>(?:@[^:\s=]+:)?registry)\s*=\s*(?P<value>\S+)\s*$")


def pypi_index(environment: Mapping[str, str] | None = None) -> str:
    """Return the address of the one simple index (PEP 503, PEP 691) to use, ending in a slash."""
    env = os.environ if environment is None else environment
    found = env.get("CLEARWELL_PYPI_INDEX") or env.get("PIP_INDEX_URL") or _from_pip_files(env) or _pypi_constant()
    return _checked(found, "CLEARWELL_PYPI_INDEX")


def _pypi_constant() -> str:
    from pypi_simple import PYPI_SIMPLE_ENDPOINT  # noqa: PLC0415 loaded where it is needed (archives.py says why)

    return PYPI_SIMPLE_ENDPOINT


def npm_registry(scope: str | None = None, environment: Mapping[str, str] | None = None) -> str:
    """Return the address of the one npm registry to use for packages of `scope` (`@angular`), ending in a slash."""
    env = os.environ if environment is None else environment
    found = env.get("CLEARWELL_NPM_REGISTRY") or env.get("npm_config_registry") or env.get("NPM_CONFIG_REGISTRY")
    found = found or _from_npm_files(env, scope) or _from_npm() or npm_constant()
    return _checked(found, "CLEARWELL_NPM_REGISTRY")


def npm_constant() -> str:
    """Return the registry that the purl library carries."""
    parts = urlsplit(str(purl2url.get_download_url("pkg:npm/clearwell@0.0.0")))  # type: ignore[no-untyped-call]  # the library has no types
    return f"{parts.scheme}://{parts.netloc}/"


def _checked(address: str, setting: str) -> str:
    if urlsplit(address).scheme not in {"https", "http"} or not urlsplit(address).netloc:
        raise Invalid(f"the registry's address {address!r} is not an http(s) address; set {setting}")
    return address.rstrip("/") + "/"


def _from_pip_files(env: Mapping[str, str]) -> str | None:
    home = Path(env.get("HOME", "/nonexistent"))
    files = [
        env.get("PIP_CONFIG_FILE"),
        Path(sys.prefix, "pip.conf"),
        home / ".config/pip/pip.conf",
        home / ".pip/pip.conf",
        "/etc/pip.conf",
    ]
    for name in files:
        if not name or not Path(name).is_file():
            continue
        parser = configparser.RawConfigParser()
        try:
            parser.read(name, encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError) as error:
            raise Invalid(f"pip's own settings cannot be read: {error}") from error
        for section in ("global", "download", "install"):
            if parser.has_option(section, "index-url"):
                return parser.get(section, "index-url").strip()
    return None


def _from_npm_files(env: Mapping[str, str], scope: str | None) -> str | None:
    home = Path(env.get("HOME", "/nonexistent"))
    named = env.get("npm_config_userconfig") or env.get("NPM_CONFIG_USERCONFIG")
    found: dict[str, str] = {}
    for name in (Path(".npmrc"), Path(named) if named else home / ".npmrc", Path("/etc/npmrc")):
        if not name.is_file():
            continue
        for line in name.read_text(encoding="utf-8", errors="replace").splitlines():
            match = _NPMRC_LINE.match(line)
            if match:
                found.setdefault(match["key"], match["value"].strip("\"'"))
    return (found.get(f"{scope}:registry") if scope else None) or found.get("registry")


@functools.cache
def _from_npm() -> str | None:
    npm = shutil.which("npm")
    if npm is None:
        return None
    try:
        done = subprocess.run([npm, "config", "get", "registry"], capture_output=True, text=True, timeout=20, check=False, cwd="/")
    except (OSError, subprocess.TimeoutExpired):
        return None
    address = done.stdout.strip()
    return address if done.returncode == 0 and address.startswith("http") else None
