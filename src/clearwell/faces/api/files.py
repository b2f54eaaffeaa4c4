# SPDX-License-Identifier: Apache-2.0
"""/feed and /ledger: the static folders, file by file; only names of the known forms are opened, nothing is listed."""

import hashlib
import re
from pathlib import Path
from typing import Any

from litestar import HttpMethod, Request, Response, Router, route
from litestar.params import FromPath

from clearwell.clearinghouse.distribution.feed import CSAF_TYPE
from clearwell.faces.api.routes import Housed
from clearwell.ground.policy.policy import Act
from clearwell.vocabulary.errors import NotFound

FEED = re.compile(r"index\.json|changes\.csv|key\.json|(?:[0-9]{4}|osv)/[a-z0-9+_-]{1,80}(?:\.json|\.json\.sha256|\.dsse\.json)", re.ASCII)
"""What the feed holds (distribution/feed.py)."""
LEDGER = re.compile(r"checkpoint|tile/(?:[0-9]{1,2}|entries)/(?:x[0-9]{3}/){0,5}[0-9]{3}(?:\.p/[0-9]{1,3})?", re.ASCII)
"""What a log holds (C2SP tlog-tiles)."""

_TYPES = {".json": "application/json", ".csv": "text/csv", ".sha256": "text/plain"}
_FOREVER = "public, max-age=31536000, immutable"
_SOON = "public, max-age=5"


def _whole_tile(name: str) -> bool:
    return name.startswith("tile/") and ".p/" not in name


def _serve(request: Request[Any, Any, Any], folder: Path, name: str, form: re.Pattern[str], media_type: str) -> Response[bytes]:
    path = folder / name
    if form.fullmatch(name) is None or path.is_symlink() or not path.is_file():
        raise NotFound("there is no such file here")
    content = path.read_bytes()
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {
        "ETag": tag,
        "Cache-Control": _FOREVER if _whole_tile(name) else _SOON,
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Access-Control-Allow-Origin": "*",
    }
    if request.headers.get("if-none-match") == tag:
        return Response(b"", status_code=304, headers=headers, media_type=media_type)
    return Response(content, headers=headers, media_type=media_type)


@route("/feed/{name:path}", http_method=[HttpMethod.GET, HttpMethod.HEAD], opt={"act": Act.READ_PUBLIC}, sync_to_thread=True)
def read_feed(request: Request[Any, Any, Any], house: Housed, name: FromPath[str]) -> Response[bytes]:
    """A file of the feed of signed advisories."""
    name = str(name).lstrip("/")
    return _serve(request, house.settings.feed_dir, name, FEED, _TYPES.get(Path(name).suffix, CSAF_TYPE))


@route("/ledger/{name:path}", http_method=[HttpMethod.GET, HttpMethod.HEAD], opt={"act": Act.READ_PUBLIC}, sync_to_thread=True)
def read_ledger(request: Request[Any, Any, Any], house: Housed, name: FromPath[str]) -> Response[bytes]:
    """A file of the ledger: its checkpoint or a tile."""
    name = str(name).lstrip("/")
    media_type = "text/plain" if name == "checkpoint" else "application/octet-stream"
    return _serve(request, house.settings.ledger_dir, name, LEDGER, media_type)


ROUTER = Router("/", route_handlers=[read_feed, read_ledger], include_in_schema=False)
