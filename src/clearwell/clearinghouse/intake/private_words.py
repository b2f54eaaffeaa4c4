# SPDX-License-Identifier: Apache-2.0
"""Private words: where mail addresses, keys, tokens, home paths and addresses of people and machines stand in a text.

Each kind has a needle, which most texts lack, and a pattern that is tried only where the needle is. ADR 14 says what stays and why.
"""

import functools
import ipaddress
import itertools
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

from clearwell.vocabulary.omission import PrivateKind

_CACHED = 2_000
"""Characters of a text that is worth remembering: a scanner writes the same few messages thousands of times."""


VERSION = 3
"""Version of the patterns and of the order in which a finding's texts are gone through. Whoever changes either raises it: a number of
an omission means something only within one version (a test keeps what each version was)."""


class Hit(NamedTuple):
    """Where something private stands: `text[start:end]`."""

    start: int
    end: int
    kind: PrivateKind


def hits_in(text: str) -> tuple[Hit, ...]:
    """Return what is private in a text, in order, without overlaps."""
    return _remembered(text) if len(text) <= _CACHED else _hits(text)


def _hits(text: str) -> tuple[Hit, ...]:
    found: list[Hit] = []
    if "@" in text or "%40" in text:
        found += _mail(text)
    if "ome/" in text or "sers" in text or "ettings" in text or "~" in text:
        found += _homes(text)
    if _may_hold_keys(text):
        found += _keys(text)
    if _DIGIT.search(text) is not None:
        if _MIXED.search(text) is not None:
            found += _assigned(text)
            if " " in text or "_" in text or "-" in text or "." in text or "=" in text:
                found += _vendors(text)
        if _names_password(text):
            found += _passwords(text)
        found += _numbers(text)
    if "://" in text and ("@" in text or "hook" in text or "sig=" in text):
        found += _in_addresses(text)
    return _apart(found) if found else ()


_remembered = functools.lru_cache(maxsize=8_192)(_hits)


def _apart(found: list[Hit]) -> tuple[Hit, ...]:
    """The hits in order; two that overlap are one, of the kind of the first. A password before a host looks like a mail address."""
    kept: list[Hit] = []
    for hit in sorted(found, key=lambda hit: (hit.start, hit.kind != "password", -hit.end)):
        if kept and hit.start < kept[-1].end:
            if hit.end > kept[-1].end and kept[-1].kind != "password":
                kept[-1] = kept[-1]._replace(end=hit.end)
        else:
            kept.append(hit)
    return tuple(kept)


# Mail addresses ---------------------------------------------------------------------------------------------------

_HOST = r"(?P<host>(?:[^\W_](?:[^\W_]|-){0,62}\.){1,8}[A-Za-z]{2,24})(?![\w\-(@]|\.[\w])"
_MAIL = re.compile(rf"(?<![\w.%+\-@])(?<!//)(?P<local>[\w.%+\-]{{1,64}})@{_HOST}")
_ESCAPED_MAIL = re.compile(rf"(?<![\w.%+\-@])(?P<local>[\w.+\-]{{1,64}})%40{_HOST}")
_RESERVED = re.compile(r"(?:.*\.)?(?:example\.(?:com|net|org)|example|test|invalid|localhost)", re.IGNORECASE)  # RFC 2606, RFC 6761
_OBJECT = re.compile(r"(?=[0-9a-f]*[a-f])(?=[0-9a-f]*[0-9])[0-9a-f]{6,8}")
_NO_PEOPLE = frozenset({"git", "hg", "svn"})
_FILE_ENDS = (
    "js mjs cjs jsx ts tsx json html htm css xml yaml yml toml c h cpp hpp cxx hxx java class jar kt scala go rb php swift cs vb "
    "txt log cfg conf ini lock so dll exe dylib bin tgz gz bz2 xz zip tar whl deb rpm png jpg svg"
)
"""Ends of file names that are no top-level domains people have addresses under (`chart@dist.js`)."""
_FILES = frozenset(_FILE_ENDS.split())


def _mail(text: str) -> Iterator[Hit]:
    for match in itertools.chain(_MAIL.finditer(text), _ESCAPED_MAIL.finditer(text) if "%40" in text else ()):
        host = match["host"]
        labels = host.lower().split(".")
        is_object = _OBJECT.fullmatch(labels[0]) is not None  # com.example.Stone@1b6d3586.turn
        is_version = len(labels) > 2 and all(label.isdigit() for label in labels[:-1])  # spring-core@5.2.0.RELEASE
        if not (_RESERVED.fullmatch(host) or match["local"] in _NO_PEOPLE or labels[-1] in _FILES or is_version or is_object):
            yield Hit(match.start(), match.end(), "mail address")


# Home paths -------------------------------------------------------------------------------------------------------

_HOME = re.compile(
    r"(?:(?<![\w.)\]\-])|(?<=\s-[ILB])|(?<=\A-[ILB]))(?:/(?:mnt/)?[a-z]/[U]sers/|/(?:(?:(?:(?:private/)?var|usr|export|data|mnt|nfs|net|srv|scratch)/)?home|[U]sers)/|"
    r"\\\\[\w.-]{1,64}\\(?:[Uu]sers|[Hh]omes?)\\|[A-Za-z]:(?:\\{1,2}|/)"
    r"(?:[Uu]sers|Documents and Settings)(?:\\{1,2}|/))"
    r"(?P<name>[^\s/\\:;*?\"'<>|,(){}\[\]$%`]{1,64})"
)
_ROLES = (
    "user users username user_name someuser myuser your-name yourname name runner runneradmin ubuntu root builder build buildd vagrant "
    "jenkins node app circleci debian fedora centos ec2-user travis gitlab-runner github docker www www-data public shared default "
    "linuxbrew vsts azureuser oss-fuzz builduser buildbot buildkite-agent bamboo teamcity ci agent actions-runner opc rocky alma "
    "almalinux kali pi "
    "postgres mysql oracle tomcat nginx ansible deploy deployer developer dev appuser nonroot nobody worker sandbox codespaces rstudio "
    "linuxbrew work test tester guest admin administrator me you foo bar git coder vscode codespace gitpod jovyan project src code "
    "... … index"
)
"""Names of accounts that are no person's."""
_NOBODY = frozenset(_ROLES.split())


_HOME_OF_A_FILE = re.compile(
    r"(?:[A-Za-z]:/)?(?:(?:mnt/)?[a-z]/[U]sers|(?:var/|usr/)?home|[U]sers)/"
    r"(?P<name>[^\s/\\:;*?\"'<>|,(){}\[\]$%`]{1,64})/"
)
"""A file's name as formats keep it, relative: its first slash is gone."""
_FOLDERS = re.compile(
    r"templates?|static|views?|controllers?|models?|migrations?|components?|assets|pages?|index|tests?|lib|include|js|css|api|management"
    r"|forms?|urls|services?|helpers?|utils?|widgets|layouts|resources|modules?"
)
"""What stands behind `home/` in source that is called home itself."""


_TILDE = re.compile(r"(?:(?<=[\s\"'`=(,])|\A)~(?P<name>[a-z][a-z0-9_.-]{1,31})/(?=[A-Za-z._])")
"""A home by its account alone: `~jdoe/src`."""


def _homes(text: str) -> Iterator[Hit]:
    for match in _TILDE.finditer(text) if "~" in text else ():
        if match["name"] not in _NOBODY:
            yield Hit(match.start("name"), match.end("name"), "name")
    first = _HOME_OF_A_FILE.match(text)
    name = first["name"].rstrip(".").lower() if first is not None else ""
    if first is not None and name not in _NOBODY and _FOLDERS.fullmatch(name) is None:
        yield Hit(first.start("name"), first.end("name"), "name")
    for match in _HOME.finditer(text):
        if match["name"].rstrip(".").lower() not in _NOBODY:
            yield Hit(match.start("name"), match.end("name"), "name")


# Keys and tokens --------------------------------------------------------------------------------------------------

_TOKENS = re.compile(
    r"(?<![A-Za-z0-9_])(?:"
    r"(?:AKIA|ASIA)[A-Z2-7]{16}|"
    r"gh[opusr]_[A-Za-z0-9]{36,251}|github_pat_[A-Za-z0-9_]{22,255}|glpat-[\w-]{20,255}|"
    r"xox[abeoprs]-[A-Za-z0-9-]{10,250}|AIza[\w-]{35}|[prs]k_live_[A-Za-z0-9]{16,250}|npm_[A-Za-z0-9]{36}|"
    r"pypi-Ag[\w-]{40,1000}|sk-(?:ant-|proj-|svcacct-)?[A-Za-z0-9_-]{20,250}|hf_[A-Za-z0-9]{30,100}|SG\.[\w-]{16,32}\.[\w-]{32,64}|"
    r"eyJ[\w-]{8,4000}\.eyJ[\w-]{8,8000}\.[\w-]{0,4000}"
    r")(?![A-Za-z0-9_])",
    re.ASCII,
)
_BLOCK = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\bPrivate-Lines: [0-9]{1,4}\b")
_BLOCK_END = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\bPrivate-MAC: [0-9a-f]{1,128}")


def _may_hold_keys(text: str) -> bool:
    # Written out: a loop over the needles costs ten times as much, and every text of every report comes by here.
    return (
        ("_" in text and ("gh" in text or "github_pat_" in text or "k_live_" in text or "npm_" in text or "hf_" in text))
        or (
            "-" in text
            and (
                "xox" in text or "sk-" in text or "glpat-" in text or "pypi-Ag" in text or "PRIVATE KEY" in text or "Private-Lines" in text
            )
        )
        or "AKIA" in text
        or "ASIA" in text
        or "AIza" in text
        or "eyJ" in text
        or "SG." in text
    )


_CUT_TOKEN = re.compile(
    r"(?<![A-Za-z0-9])(?:gh[pousr]_|github_pat_|glpat-|xox[abprs]-|AKIA|ASIA|AIza|npm_(?![a-z]+(?:_|\Z))|pypi-)[A-Za-z0-9_-]{6,255}\Z"
)
"""A token at the very end of a text, shorter than it should be: the text was cut there."""


def _keys(text: str) -> Iterator[Hit]:
    for match in _TOKENS.finditer(text):
        word = match[0]
        if word.endswith("EXAMPLE") or (word.startswith("sk-") and not any(c.isdigit() for c in word)):
            continue
        yield Hit(match.start(), match.end(), "key" if word.startswith(("AKIA", "ASIA", "AIza")) else "token")
    cut = _CUT_TOKEN.search(text)
    if cut is not None and not cut[0].endswith("EXAMPLE"):
        yield Hit(cut.start(), cut.end(), "token")
    behind = 0
    while (begin := _BLOCK.search(text, behind)) is not None:
        end = _BLOCK_END.search(text, begin.end())
        behind = end.end() if end is not None else len(text)  # a block that was cut: nothing behind its beginning is safe to show
        yield Hit(begin.start(), behind, "key")


_VENDORS = re.compile(
    r"(?<![A-Za-z0-9_])(?:"
    r"(?:gl(?:rt|dt|ft|soat|cbt|ptt|agent|imt|oas|ffct)-|GOCSPX-|HRKU-|NRAK-|PMAK-|xai-|pplx-|sq0(?:csp|atp)-|tskey-[a-z]{2,10}-)[\w-]{20,250}|"
    r"xapp-[0-9]-[\w-]{20,250}|AGE-SECRET-KEY-1[0-9A-Z]{40,60}|ATATT3x[\w=-]{40,250}|ATCTT3x[\w=-]{40,250}|"
    r"(?:whsec|gsk|ntn|figd|glsa|glc|sntrys|pscale_(?:tkn|pw|oauth)|lin_api|dckr_pat)_[\w+/=-]{20,400}|"
    r"r8_[A-Za-z0-9]{37}|do[opr]_v1_[0-9a-f]{64}|shp(?:at|ss|ca|pa)_[0-9a-f]{32}|sbp_[0-9a-f]{40}|rubygems_[0-9a-f]{48}|sq[aup]_[0-9a-f]{40}|"
    r"(?:ya29|hv[sb]|sl|dp\.(?:pt|st|ct|sa))\.[\w-]{24,400}|[A-Za-z0-9]{14}\.atlasv1\.[\w-]{40,80}|pat[A-Za-z0-9]{14}\.[0-9a-f]{64}|"
    r"[MNO][\w-]{23,27}\.[\w-]{6}\.[\w-]{27,40}|[0-9]{8,10}:AA[\w-]{33}|"
    r"key-[0-9a-f]{32}|[0-9a-f]{32}-us[0-9]{1,2}|SK[0-9a-f]{32}|dapi[0-9a-f]{32}|AKCp[A-Za-z0-9]{60,80}|EZAK[A-Za-z0-9]{54}|"
    r"EAA[A-Za-z0-9]{60,250}|oy2[a-z0-9]{43}|cio[A-Za-z0-9]{32}"
    r")(?![A-Za-z0-9_])",
    re.ASCII,
)
"""Tokens of vendors whose prefix or shape tells them."""


def _vendors(text: str) -> Iterator[Hit]:
    for match in _VENDORS.finditer(text):
        if sum(c.isdigit() for c in match[0]) >= 3:
            yield Hit(match.start(), match.end(), "token")


# Secrets that are assigned ----------------------------------------------------------------------------------------

_MIXED = re.compile(r"[0-9][A-Za-z]")
_ASSIGNED = re.compile(
    r"(?:pass(?:word|wd|phrase)?|pwd|secret|token|key|auth\w{0,12}|credentials?|bearer|basic|ssws|sess(?:ion|id)\w{0,12}(?==))[\w-]{0,32}[\"'\]]{0,2}"
    r"(?:\s{0,4}(?:=>|:=|=|:)\s{0,4}|\s)(?:(?:bearer|basic|token)\s)?[\"'`]?(?P<value>[A-Za-z0-9+/_.~=!@#$%^&*-]{12,1024})",
    re.IGNORECASE,
)
_PUBLIC = re.compile(r"public[_-]?key[_-]?token", re.IGNORECASE)
"""What .NET's assemblies are named by."""
_PASSWORD = re.compile(
    r"(?:pass(?:word|wd|phrase)?|pwd)(?:[\"'\]]{0,2}\s{0,4}(?:=>|:=|=|:)|[\"'] value=)\s{0,4}"
    r"(?:(?P<quote>[\"'`])(?P<quoted>[^\s\"'`]{8,128})(?P=quote)|(?P<bare>[^\s\"'`()\[\]{}<>;,]{8,128}))",
    re.IGNORECASE,
)
_USER = re.compile(r"\bcurl\b[^\n]{0,300}?\s(?:-u|--user)[ =][\"']?[^\s:\"'$]{1,64}:(?P<value>[^\s\"'$]{3,128})")
_HOOK = re.compile(
    r"hooks\.slack\.com/services/(T\w{6,20}/B\w{6,20}/\w{16,40})|/api/webhooks/[0-9]{15,22}/([\w-]{40,100})|[?&]sig=([\w%+/=-]{40,120})"
)
_IN_ADDRESS = re.compile(r"(?<=://)[^\s/:@\"'<>\\]{0,128}:(?P<value>[^\s/@\"'<>\\]{1,256})(?=@)")
_NAMES = re.compile(r"[A-Za-z_$][\w$]*(?:[./-][A-Za-z_$][\w$]*)*[.,;]?")
_POINTER = re.compile(r"0[xX][0-9a-fA-F]{1,16}")
_TURN = re.compile(r"(?<=[0-9])(?=[A-Za-z])|(?<=[A-Za-z])(?=[0-9])|(?<=[a-z])(?=[A-Z])")
_PLACEHOLDER = re.compile(r"[$%{<*x.]|(?:pass|password|passwd|pw|secret|token|changeme|xxx+)$", re.IGNORECASE)


def _assigned(text: str) -> Iterator[Hit]:
    for match in _ASSIGNED.finditer(text):
        if _is_random(match["value"]) and not _PUBLIC.search(text, max(0, match.start() - 12), match.start("value")):
            yield Hit(match.start("value"), match.end("value"), "token")


def _names_password(text: str) -> bool:
    return "pass" in text or "PASS" in text or "Pass" in text or "pwd" in text or "PWD" in text or "curl" in text


def _passwords(text: str) -> Iterator[Hit]:
    """Passwords that a person chose: a letter, a digit and a sign that no name holds."""
    for match in _PASSWORD.finditer(text):
        group = "quoted" if match["quoted"] is not None else "bare"
        if _is_chosen(match[group]):
            yield Hit(match.start(group), match.end(group), "password")
    for match in _USER.finditer(text) if "curl" in text else ():
        if _PLACEHOLDER.match(match["value"]) is None:
            yield Hit(match.start("value"), match.end("value"), "password")


def _is_chosen(word: str) -> bool:
    if _PLACEHOLDER.match(word) is not None or "://" in word or "%" in word or word.startswith(("/", "./", "@", "\\")):
        return False
    return any(c.isdigit() for c in word) and any(c.isalpha() for c in word) and any(c in "!#&*+?^~@=|" for c in word.strip("=*"))


def _in_addresses(text: str) -> Iterator[Hit]:
    for match in _HOOK.finditer(text):
        if match.lastindex is not None:
            yield Hit(match.start(match.lastindex), match.end(match.lastindex), "token")
    for match in _IN_ADDRESS.finditer(text):
        if _PLACEHOLDER.match(match["value"]) is None:
            yield Hit(match.start("value"), match.end("value"), "password")


def _is_random(word: str) -> bool:
    """True for words that no person would choose as a name: digits among letters, many turns, high entropy (bits per character)."""
    core = word.strip(".=,;")
    digits = sum(c.isdigit() for c in core)
    if digits < 2 or digits == len(core) or "://" in core or _POINTER.fullmatch(core) is not None:
        return False
    turns = len(_TURN.findall(core))
    if _NAMES.fullmatch(word) is not None and turns < 5:
        return False
    return turns >= 3 and _entropy(core) >= 3.2


def _entropy(word: str) -> float:
    size = len(word)
    return -sum(count / size * math.log2(count / size) for count in Counter(word).values())


# Numbers ----------------------------------------------------------------------------------------------------------

_DIGIT = re.compile(r"[0-9]")
_DOTTED = re.compile(r"[0-9]\.[0-9]{1,3}\.[0-9]")
_GROUPS = re.compile(r"[23][0-9A-Fa-f]{3}:[0-9A-Fa-f:]")
_CALL = re.compile(r"[+(][1-9]")
_ZIP = re.compile(r" [0-9]{5}")
_IPV4 = re.compile(r"(?<![\w.\-])(?P<address>[0-9]{1,3}(?:\.[0-9]{1,3}){3})(?![\w\-]|\.[0-9])")
_IPV6 = re.compile(r"(?<![\w:.])[23][0-9A-Fa-f]{3}(?::[0-9A-Fa-f]{0,4}){2,7}(?![\w:])")
_VERSION = re.compile(
    r"(?:version|versions|release|ver\.?|rev|build|update|upgrade|upgraded|[=~<>!^]=|[~<>^]|\bv|\w/)[ ]?[\"'(]?$", re.IGNORECASE
)
_CHANGE = re.compile(
    r"\b(?:(?:upgrad|updat|downgrad|migrat)(?:e|ed|es|ing) (?:to|from)|bump(?:ed|s)? (?:to|from)"
    r"|(?:fixed|patched|introduced|resolved|released|affected) (?:in|by|since)"
    r"|prior to|up to|before|since|through|until|firmware)[ ]?$",
    re.IGNORECASE,
)
"""What stands before versions alone."""
_ADDRESS = re.compile(
    r"(?:\b(?:ip|ips|ipv4|address|addr|host|server|client|peer|remote|from|to|at|connect)\b[ :=]{1,3}|//|@)[\"'(]?$", re.IGNORECASE
)
_PORT = re.compile(r":[0-9]{2,5}(?![0-9.])|/(?:[12]?[0-9]|3[0-2])(?![0-9.])")
_DOCUMENTATION = tuple(ipaddress.ip_network(n) for n in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"))  # RFC 5737
_DOCUMENTATION_6 = tuple(ipaddress.ip_network(n) for n in ("2001:db8::/32", "3fff::/20"))  # RFC 3849, RFC 9637
_TELEPHONE = re.compile(
    r"(?<![\w+.])(?:\+[1-9][0-9]{0,2}[ .\-]?(?:\([0-9]{1,4}\)[ .\-]?)?[0-9]{1,5}(?:[ .\-][0-9]{2,8}){1,4}|\+[1-9][0-9]{9,14}|"
    r"\([2-9][0-9]{2}\) ?[2-9][0-9]{2}-[0-9]{4})(?![\w.]|-[0-9])"
)
_NAMED_TELEPHONE = re.compile(
    r"\b(?:[Pp]hone|[Tt]el(?:ephone)?|[Mm]obile|[Ff]ax)[ .:#]{1,3}(?P<number>\(?[0-9]{2,5}\)?(?:[ ./\-]{1,3}[0-9]{2,8}){1,4})(?![\w.])"
)
_FICTION = re.compile(r".*555[ .\-]?01[0-9]{2}")
_POSTAL = re.compile(
    r"\b[0-9]{1,6} (?:[NSEW]\.? )?(?:[A-Z0-9][A-Za-z0-9'.]{0,24} ){1,4}"
    r"(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Way|Place|Pl|Square|Sq|Parkway|Pkwy|Terrace|Highway|Hwy|Loop|Circle|Cir|Plaza|Trail)\.?"
    r"(?:,? (?:Apt|Apartment|Suite|Ste|Unit|#)\.? ?\w{1,6})?(?:,? |,?\n)[A-Z][A-Za-z'.]{0,24}(?: [A-Z][A-Za-z'.]{0,24}){0,2}"
    r",? [A-Z]{2} [0-9]{5}(?:-[0-9]{4})?\b"
)
_CODE = re.compile(r"[,\n] ?(?:[A-Z]{1,2}-)?[0-9]{4,5} [A-Z]|[A-Z][0-9][0-9A-Z]? [0-9][A-Z]{2}\b|, [A-Z]{2} [0-9]{5}\b")
"""A postal code of other countries behind a street, or a US one."""
_POSTAL_ELSEWHERE = re.compile(
    r"\b(?:"
    r"(?:[A-ZÄÖÜ][\w.-]{0,30}(?:straße|strasse|str\.|weg|allee|platz|markt|gasse|ring|damm|ufer|straat|laan|plein|gracht|kade)"
    r"|(?:Am|Im|Zum|Zur|An de[rnm]|Auf de[rm]|Unter den) [A-ZÄÖÜ][\w-]{1,24}) "
    r"[0-9]{1,4} ?[a-z]?[,\n] ?"
    r"(?:[A-Z]{1,2}-)?[0-9]{4,5}(?: [A-Z]{2}\b)? [A-ZÄÖÜ][\w.-]{1,30}|"
    r"[0-9]{1,4},? (?:bis )?(?:[Rr]ue|[Aa]venue|[Bb]oulevard|[Pp]lace|[Qq]uai|[Cc]hemin|[Ii]mpasse|[Vv]ia|[Cc]alle) "
    r"(?:[\w'’.-]{1,25} ){0,4}[\w'’.-]{1,25}[,\n] ?[0-9]{5} "
    r"[A-ZÀ-Ý][\w-]{1,30}|"
    r"[0-9]{1,5} (?:[A-Z][\w'.]{0,24} ){1,3}(?:Street|St|Road|Rd|Lane|Avenue|Close|Square|Terrace|Place|Gardens|Way|Drive|Court),? "
    r"(?:[A-Z][\w'.]{1,24},? ){1,3}[A-Z]{1,2}[0-9][0-9A-Z]? [0-9][A-Z]{2}|"
    r"P\.? ?O\.? Box [0-9]{1,6},? [A-Z][\w'.]{0,24}(?: [A-Z][\w'.]{0,24}){0,2},? [A-Z]{2} [0-9]{5}"
    r")\b"
)


def _numbers(text: str) -> list[Hit]:
    found: list[Hit] = []
    if "." in text and _DOTTED.search(text) is not None:
        for match in _IPV4.finditer(text):
            if _is_somebody(match["address"]) and not _is_version(text, match):
                found.append(Hit(match.start(), match.end(), "network address"))
    if ":" in text and _GROUPS.search(text) is not None:
        found += [Hit(match.start(), match.end(), "network address") for match in _IPV6.finditer(text) if _is_somebody(match[0])]
    if _CALL.search(text) is not None:
        for match in _TELEPHONE.finditer(text):
            if 8 <= sum(c.isdigit() for c in match[0]) <= 15 and _FICTION.fullmatch(match[0]) is None:
                found.append(Hit(match.start(), match.end(), "telephone number"))
    if "hone" in text or "tel" in text or "Tel" in text or "obile" in text or "Fax" in text or "fax" in text:
        for match in _NAMED_TELEPHONE.finditer(text):
            if 8 <= sum(c.isdigit() for c in match["number"]) <= 15 and _FICTION.fullmatch(match["number"]) is None:
                found.append(Hit(match.start("number"), match.end("number"), "telephone number"))
    if ("," in text or "\n" in text) and _CODE.search(text) is not None:
        found += [Hit(match.start(), match.end(), "postal address") for match in _POSTAL_ELSEWHERE.finditer(text)]
    if _ZIP.search(text) is not None:
        found += [Hit(match.start(), match.end(), "postal address") for match in _POSTAL.finditer(text)]
    return found


def _is_somebody(address: str) -> bool:
    """True for addresses on the public network; those of one house, of this machine and of documentation point at nobody."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv4Address):
        return found.is_global and not found.is_multicast and not any(found in network for network in _DOCUMENTATION)
    return found.is_global and not any(found in network for network in _DOCUMENTATION_6)


def _is_version(text: str, match: re.Match[str]) -> bool:
    """Four small numbers are a version where one is named; and, where they are small, unless an address is."""
    before = text[max(0, match.start() - 20) : match.start()]
    if _PORT.match(text, match.end()) is None and _CHANGE.search(before) is not None:
        return True
    if _ADDRESS.search(before) is not None or _PORT.match(text, match.end()) is not None:
        return False
    if _VERSION.search(before) is not None:
        return True
    first, second, _, last = map(int, match["address"].split("."))
    return first < 10 or (first < 32 and second < 32 and last < 10)


class Patterns(NamedTuple):
    """What finds private words, and its version."""

    version: int
    hits_in: Callable[[str], tuple[Hit, ...]]


PATTERNS = Patterns(VERSION, hits_in)
