# SPDX-License-Identifier: Apache-2.0
"""Pages: templates in which every value passes the HTML encoder of outside text. The front door (faces/http.py) adds the headers."""

from datetime import UTC, date, datetime, tzinfo
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Response
from litestar.datastructures import Cookie
from markupsafe import Markup

from clearwell.faces.web.visit import Visit
from clearwell.vocabulary.outside import for_html

STATIC = Path(__file__).parent / "static"
VENDOR = STATIC / "vendor"

_SHOWN = 256 * 1024


def encode(value: Any) -> Any:
    """The one encoder between values and HTML: invisible and bidirectional characters are shown, markup is escaped."""
    return Markup(for_html(value)) if isinstance(value, str) and not isinstance(value, Markup) else value  # noqa: S704 for_html escapes


def moment(value: datetime, zone: tzinfo = UTC) -> Markup:
    """A point in time, in UTC unless an operator's own zone is given."""
    local = value.astimezone(zone)
    text = f"{local:%Y-%m-%d %H:%M} {local.tzname()}"
    return Markup('<time datetime="{}">{}</time>').format(value.isoformat(), text)


def day(value: date) -> str:
    """A day in words: Thursday, November 5, 2026."""
    return f"{value:%A, %B} {value.day}, {value.year}"


def days_until(value: date | datetime, now: datetime, zone: tzinfo = UTC) -> str:
    """How far a day is from now, in words; both are days of `zone`."""
    days = (value.astimezone(zone).date() if isinstance(value, datetime) else value).toordinal() - now.astimezone(zone).date().toordinal()
    if days == 0:
        return "today"
    plural = "" if abs(days) == 1 else "s"
    return f"in {days} day{plural}" if days > 0 else f"{-days} day{plural} ago"


def size(value: int) -> str:
    """Bytes for people."""
    if value < 10_000:
        return f"{value:,} bytes"
    return f"{value / 1000:,.0f} kB" if value < 10_000_000 else f"{value / 1_000_000:,.0f} MB"


def readable(content: bytes) -> str | None:
    """A file's text, None where it is not text or too long for a page."""
    if len(content) > _SHOWN or b"\0" in content:
        return None
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=encode,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(moment=moment, day=day, days_until=days_until, size=size, readable=readable)
    return environment


_TEMPLATES = _environment()


def page(visit: Visit | None, template: str, status: int = 200, cookies: tuple[Cookie, ...] = (), **facts: Any) -> Response[bytes]:
    """Render a template for whoever looks; `visit` is None where a request went wrong before it was known who looks."""
    shared = {
        "visit": visit,
        "kind": visit.member.kind.value if visit and visit.member else "",
        "path": visit.request.url.path if visit else "",
        "now": visit.house.clock.now() if visit else datetime.now(UTC),
        "has_uswds": (VENDOR / "uswds" / "css" / "uswds.min.css").exists(),
        "has_htmx": (VENDOR / "htmx" / "htmx.min.js").exists(),
    }
    html = _TEMPLATES.get_template(template).render({**shared, **facts})
    content = html.encode("utf-8", errors="replace")
    return Response(content, status_code=status, media_type="text/html", cookies=list(cookies))


def redirect(path: str, cookies: tuple[Cookie, ...] = ()) -> Response[bytes]:
    """Go on to another page of ours with GET (303)."""
    return Response(b"", status_code=303, headers={"Location": path}, media_type="text/plain", cookies=list(cookies))


def download(content: bytes, media_type: str, name: str) -> Response[bytes]:
    """A file to save, never to show; `name` is ours."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=media_type, headers=headers)
