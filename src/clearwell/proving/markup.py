# SPDX-License-Identifier: Apache-2.0
"""What a browser would make of output: tags and handlers, by the HTML standard's tokenizer (WHATWG, 13.2.5) as far as needed."""

import html
import re

_SPACE = " \t\n\f\r"
_RAW_TEXT = {"style", "xmp", "iframe", "noembed", "noframes", "textarea", "title"}
_ACTING = {"script", "iframe", "frame", "object", "embed", "applet", "base", "meta", "link", "form"}
_LINKS = {"href", "src", "action", "formaction", "data", "xlink:href", "srcdoc", "background", "poster"}
_HANDLER = re.compile(r"on[a-z]+")
_SCRIPT_ADDRESS = re.compile(r"[\x00-\x20]*(?:javascript:|vbscript:|data:text/html)", re.IGNORECASE)
_COMMENT_END = re.compile(r"--!?>")
_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
"""The standard compares in ASCII: str.lower() would make a k of the Kelvin sign, and two signs of one, so that places no longer agree."""
_MARKUP_MAX = 4 << 20


def risky_parts(text: str) -> frozenset[str]:
    """Return `<tag>` for each tag, `tag@handler` for each event handler, `tag@attribute=script` for each script address.

    A handler is a name of letters alone with something to run: `onclick&#x3D;1` is a name like any other, since references in names mean
    nothing. Whether a noscript element's contents are markup depends on the reader's settings: what either reading finds counts.
    """
    found: set[str] = set()
    text = text[:_MARKUP_MAX]
    both = tags(text) + (tags(text, with_scripts=True) if "<noscript" in text.translate(_LOWER) else [])
    for name, attributes in both:
        found.add(f"<{name}>")
        for attribute, value in attributes:
            if _HANDLER.fullmatch(attribute) and value.strip():
                found.add(f"{name}@{attribute}")
            elif (attribute in _LINKS and _SCRIPT_ADDRESS.match(re.sub(r"[\t\n\r]", "", value))) or attribute == "srcdoc":
                found.add(f"{name}@{attribute}=script")
    return frozenset(found)


def leaves_script(text: str) -> bool:
    """True when text put between <script> and </script> ends that element early (script data states, 13.2.5.4 and on)."""
    low = text[:_MARKUP_MAX].translate(_LOWER)
    return _script_close(low + "</script>", 0)[0] < len(low)


def acts(part: str) -> bool:
    """True for a part that runs or loads something by itself: a handler, a script address, a script or what embeds a document."""
    return "@" in part or part.strip("<>") in _ACTING


def tags(text: str, *, with_scripts: bool = False) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return every start tag with its attributes in order, skipping comments and the contents of raw text elements."""
    found, at, low = [], 0, text.translate(_LOWER)
    while (at := text.find("<", at)) >= 0:
        following = text[at + 1 : at + 2]
        if following.isascii() and following.isalpha():
            name, attributes, at = _tag(text, at + 1)
            if name is None:
                break  # the text ends inside the tag: a browser drops it
            found.append((name, attributes))
            if name == "script":
                at = _script_close(low, at)[1]
            elif name in _RAW_TEXT or (with_scripts and name == "noscript"):
                at = _raw_end(low, at, name)
            elif name == "plaintext":
                break
        elif following == "!":
            at = _declaration_end(text, at)
        elif following == "?" or (following == "/" and not text[at + 2 : at + 3].isalpha()):
            at = _after(text, ">", at + 1)
        elif following == "/":
            _, _, at = _tag(text, at + 2)
        else:
            at += 1
    return found


def _tag(text: str, at: int) -> tuple[str | None, list[tuple[str, str]], int]:
    start, end = at, len(text)
    while at < end and text[at] not in _SPACE + "/>":
        at += 1
    name = text[start:at].translate(_LOWER)
    attributes: list[tuple[str, str]] = []
    seen: set[str] = set()
    while at < end:
        while at < end and text[at] in _SPACE + "/":
            at += 1
        if at < end and text[at] == ">":
            return name, attributes, at + 1
        start = at
        at += 1  # a leading "=" belongs to the name
        while at < end and text[at] not in _SPACE + "/>=":
            at += 1
        attribute = text[start:at].translate(_LOWER)
        mark = at
        while at < end and text[at] in _SPACE:
            at += 1
        value = ""
        if at < end and text[at] == "=":
            value, at = _value(text, at + 1)
        else:
            at = mark if at < end and text[at] not in "/>" else at
        if attribute not in seen:  # of two of one name the standard keeps the first; references in values are read
            seen.add(attribute)
            attributes.append((attribute, html.unescape(value)))
    return None, [], end


def _value(text: str, at: int) -> tuple[str, int]:
    end = len(text)
    while at < end and text[at] in _SPACE:
        at += 1
    if at < end and text[at] in "\"'":
        close = text.find(text[at], at + 1)
        return (text[at + 1 :], end) if close < 0 else (text[at + 1 : close], close + 1)
    start = at
    while at < end and text[at] not in _SPACE + ">":
        at += 1
    return text[start:at], at


def _declaration_end(text: str, at: int) -> int:
    if not text.startswith("<!--", at):
        return _after(text, ">", at + 1)
    for short in (">", "->"):
        if text.startswith(short, at + 4):
            return at + 4 + len(short)
    end = _COMMENT_END.search(text, at + 4)
    return len(text) if end is None else end.end()


def _raw_end(low: str, at: int, name: str) -> int:
    """Where the closing tag of a raw text element begins."""
    mark = f"</{name}"
    while (at := low.find(mark, at)) >= 0:
        after = low[at + len(mark) : at + len(mark) + 1]
        if after == "" or after in _SPACE + "/>":
            return at
        at += 1
    return len(low)


_SCRIPT_MARK = re.compile(r"<!--|-->|<script(?=[ \t\n\f\r/>])|</script(?=[ \t\n\f\r/>])")


def _script_close(low: str, at: int) -> tuple[int, int]:
    """Where a script element's end tag begins and ends: a comment that opens another script hides one end tag."""
    escaped = double = False
    for match in _SCRIPT_MARK.finditer(low, at):
        mark = match[0]
        if mark == "<!--":
            escaped = True
        elif mark == "-->":
            escaped = double = False
        elif mark == "<script":
            double = double or escaped
        elif double:
            double = False
        else:
            return match.start(), _after(low, ">", match.end())
    return len(low), len(low)


def _after(text: str, mark: str, at: int) -> int:
    place = text.find(mark, at)
    return len(text) if place < 0 else place + len(mark)
