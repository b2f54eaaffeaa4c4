# SPDX-License-Identifier: Apache-2.0
"""Addresses in outside documents are never links: no template puts anything but this hub's own paths where a browser would follow it."""

import re
from pathlib import Path

import pytest

from house.tree import files, named

TEMPLATES = files(".html", under="src/clearwell/faces/web/templates")
_FOLLOWED = re.compile(
    r"""(?i)\b(href|src|action|formaction|data|poster|srcset|cite|hx-(?:get|post|put|delete|patch))\s*=\s*(["'])(.*?)\2"""
)
_UNQUOTED = re.compile(r"""(?i)\b(?:href|src|action|formaction)\s*=\s*(?=[^"'\s>])""")
OWN = {
    "address": "layout.html's list of the hub's own pages",
    "at": "the case's own page",
    "path": "the page's own path",
    "back": "the page that the visitor came from within the hub, made by its face",
}
"""Expressions that may be a whole address, because a face makes them of the hub's own paths."""


def followed(text: str) -> list[str]:
    """Attribute values that a browser follows and that do not begin with a path of this hub."""
    found = [f"unquoted at {match.start()}" for match in _UNQUOTED.finditer(text)]
    for match in _FOLLOWED.finditer(text):
        value = match.group(3).strip()
        whole = re.fullmatch(r"\{\{\s*(\w+)\s*\}\}(?:/.*)?", value)
        if not re.match(r"/(?!/)|#|\?", value) and not (whole is not None and whole.group(1) in OWN):
            found.append(match.group())
    return found


@pytest.mark.parametrize("template", TEMPLATES, ids=named)
def test_a_template_links_to_this_hub_only(template: Path) -> None:
    assert followed(template.read_text(encoding="utf-8")) == []


def test_no_template_turns_text_into_markup() -> None:
    """Outside text stays escaped: `safe` stands behind constants only."""
    marked = re.compile(r"""[^'"\s]\s*\|\s*safe\b|\|\s*urlize\b|autoescape\s+false""")

    assert [named(path) for path in TEMPLATES if marked.search(path.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize(
    "text",
    [
        '<a href="{{ reference }}">x</a>', '<a href="https://example.org">x</a>', '<a href="javascript:x">x</a>',
        "<a href='//example.org'>x</a>",
        "<a href={{ url }}>x</a>", '<form action="{{ f.body.references[0] }}">', '<img src="{{ x }}">', '<a href="{{ file }}/x">',
    ],
)  # fmt: skip
def test_a_link_made_of_outside_text_is_found(text: str) -> None:
    assert followed(text)


def test_paths_of_the_hub_are_allowed() -> None:
    assert (
        followed('<a href="/cases/{{ id }}"><a href="#x"><a href="{{ at }}"><form action="{{ at }}/fixes"><img src="/static/a.svg">') == []
    )
