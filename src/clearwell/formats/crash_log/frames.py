# SPDX-License-Identifier: Apache-2.0
"""One line of a stack: the forms in which sanitizers, debuggers, kernels and languages' runtimes print a frame."""

import re

import msgspec

from clearwell.formats.crash_log.mangling import demangle
from clearwell.vocabulary.finding import line_of
from clearwell.vocabulary.stack import gdb_stack_frame, is_project_module

_SANITIZER = re.compile(
    r"\s*#(?P<n>\d{1,5})(?P<inline>\.\d{1,3})?:?\s+(?:0x[0-9a-fA-Fx]+|[0-9a-fA-F]{8,16})(?:\s+in)?(?:\s+(?P<rest>\S.*))?$"
)
NUMBERED = re.compile(r"\s*#\d{1,5}(?:\.\d{1,3})?:?\s+(?:0x[0-9a-fA-Fx]+|[0-9a-fA-F]{8,16})(?:\s|$)").match
"""Tells quickly whether a line is a frame that `sanitizer_frame` reads (gdb's with an address, too)."""
_PLAIN = re.compile(r"\s+#(?P<n>\d{1,4}) (?P<rest>[A-Za-z_~`(<*].*)$")
_TOMBSTONE = re.compile(
    r"\s*#(?P<n>\d{2,3})\s+pc\s+[0-9a-f]{8,16}\s+(?P<module>\S+)(?: \(offset [^)]*\))?(?:\s\((?P<function>.+?)\+\d+\))?"
    r"(?:\s\(BuildId.*)?$"
)
_MAC = re.compile(r"(?P<n>\d{1,3})\s+(?P<module>\S.{0,60}?)\s+0x[0-9a-f]{8,16} (?P<function>.+?)(?: \+ \d+)?$")
_CHROME_WINDOWS = re.compile(r"\s+(?P<function>\S.*?) \[0x[0-9A-F]{8,16}\+\d+\](?: \((?P<file>[^()]{1,500}):(?P<line>\d+)\))?$")
_GLIBC = re.compile(r"\s*(?P<module>[^\s(\[]+)\((?P<function>[^\n]*?)\+0x[0-9a-f]+\)\s?\[0x[0-9a-f]+\]$")
_KERNEL = re.compile(
    r"\s*(?:#\d+ )?\[<\s*(?:0x)?(?P<address>[0-9a-f]{8,16}|inline|none)\s*>\]\s+(?P<unsure>\? )?\(?(?P<function>[\w.$]+)"
    r"(?:\+0x[0-9a-f]+/0x[0-9a-f]+)?\)?"
    r"(?: from .*|\s+(?P<file>[\w./+-]+):(?P<line>\d+))?"
)
_KERNEL_BARE = re.compile(
    r"\s*(?:\[[0-9a-f]{8,16}\] ){0,2}(?P<unsure>\? )?(?P<function>[A-Za-z_][\w.]*+)(?:\+0x[0-9a-f]+/0x[0-9a-f]+)?"
    r"(?: \[(?P<module>[\w-]{1,60})(?:\([A-Z]{1,8}\))?(?: [0-9a-f]{4,40})?\])?(?:\s+"
    r"(?P<file>[\w./+-]+\.(?:[chS]|rs)):(?P<line>\d+))?(?P<inline> \[inline\])?(?: \((?:[A-Z]{1,3}|unreliable)\))?\s*$"
)
_JAVA = re.compile(r"\s+at (?:app//|\w+//)?(?P<function>[\w.$/<>@-]+)\((?P<file>[^():]*)(?::(?P<line>\d+))?\)$")
_JAVASCRIPT = re.compile(r"\s+at (?:async )?(?:(?P<function>[^\n()]{1,300}?) \()?(?P<file>[^\s()]+):(?P<line>\d+):\d+\)?$")
_PYTHON = re.compile(r'\s+File "(?P<file>[^"]{1,500})", line (?P<line>\d+),? in (?P<function>.{1,300}?)$')
_GO = re.compile(r"(?P<function>[\w./()*·~\[\]@%-]+?)\((?P<args>[^()]*|\.\.\.)\)\s*$")
_GO_PLACE = re.compile(r"\s+(?P<file>\S+?):(?P<line>\d+)(?: \+0x[0-9a-f]+)?\s*$")
_RUST = re.compile(r"\s+(?P<n>\d{1,4}): (?:\s*0x[0-9a-f]+ - )?(?P<function>\S.*?)$")
_RUST_PLACE = re.compile(r"\s+at (?P<file>\S+?):(?P<line>\d+)(?::\d+)?\s*$")
_WINDBG = re.compile(
    r"(?:[0-9a-f]{2,3} )?[0-9a-f`]{8,17} (?:[0-9a-f`]{8,17} ){1,5}(?:: (?:[0-9a-f`]{8,17} ){1,5}: )?(?P<module>[\w.]+)!(?P<function>\S.*?)"
    r"(?:\+0x[0-9a-f]+)?(?: \[(?P<file>.+?) @ (?P<line>\d+)\])?$"
)

_LLDB = re.compile(
    r"\s*(?:\* )?frame #(?P<n>\d{1,5}): 0x[0-9a-f]{4,16} (?P<module>[^`\n]{1,300})`(?P<function>.+?)"
    r"(?: at (?P<file>\S+?):(?P<line>\d{1,7})(?::\d{1,6})?(?: \[[^\]]{1,40}\])?| \+ \d+)?$"
)
_HONGGFUZZ = re.compile(
    r"\s*<0x[0-9a-f]{8,16}> \[func:(?P<function>\S{1,1000})(?: file:(?P<file>\S{0,1000}))?(?: line:(?P<line>\d{1,7}))?"
    r"(?: module:(?P<module>\S{0,1000}))?\]$"
)
_MEMCHECK = re.compile(
    r"(?:==\d{1,10}==)?\s+(?P<first>at|by) 0x[0-9A-F]{1,16}: (?P<function>[^\n]{1,2000}?)"
    r"(?: \((?:in (?P<module>[^()\n]{1,500})|(?P<file>[^()\s:]{1,500}):(?P<line>\d{1,7}))\))?\s*$"
)
_DOTNET = re.compile(r"\s+at (?P<function>[^\s(]{1,1000}) ?\(")
_DOTNET_PLACE = re.compile(r" in (?P<file>[^\n]{1,500}):(?:line )?(?P<line>\d{1,7})\s*$")
_HOTSPOT = re.compile(
    r"(?:[CV] {1,4}\[(?P<module>[^\]\n+]{1,300})(?:\+0x[0-9a-f]{1,16})?\](?: {1,4}(?P<native>[^\n]{1,1000}?)(?:\+0x[0-9a-f]{1,16})?)?"
    r"|[jJ] +(?:\d{1,7}%? +(?:[cC][12] +)?)?(?P<java>[\w.$/<>]{1,500})\([^\n]{0,500})\s*$"
)
_PHP = re.compile(r"#\d{1,5} (?:(?P<file>[^\n(]{1,500})\((?P<line>\d{1,7})\)|\[internal function\]): (?P<function>[^\s(]{1,500})\(")
_PLACE = re.compile(r"(?P<file>\S+?):(?P<line>\d{1,7})(?::\d{1,6})?$")
_PLACE_AND_SYMBOL = re.compile(r"\s(?P<file>\S+?):(?P<line>\d{1,7})(?::\d{1,6})?\s+<[^<>]*(?:<[^<>]*>)?>?\+0x[0-9a-f]+\s*$")
_MODULE = re.compile(
    r"(?:^|\s)\((?P<module>[^()]*?(?:\([^()]*\)[^()]*?)?) ?\+ ?0x(?P<offset>[0-9a-fA-F]{1,16})\)(?:\s+\(BuildId:"
    r" [0-9a-f]+\))?\s*$"
)
_ANGLE = re.compile(r"<{1,2}(?P<module>[\w.+ -]{0,200})>{1,2}\+0x[0-9a-f]+\s*$")
_BUILD_ID = re.compile(r"\s+\(BuildId: [0-9a-fA-F]+\)\s*$")
_FILE_ALONE = re.compile(
    r"(?P<file>"
    r"(?:[^\s(]*[/\\])?[\w.+-]+\.(?:c|cc|cpp|cxx|h|hh|hpp|inc|inl|m|mm|rs|go|S|s|asm|swift|tq|y|l|def|td)|_asan_rtl_|<compiler-generated>|\?\?)(?::0)?$"
)
_SYSTEM_LIBRARY = re.compile(r"/usr/lib(?:32|64)?/|/lib(?:32|64)?/|/System/Library/|/system/lib|/apex/|[Cc]:[/\\\\][Ww][Ii][Nn][Dd]")
_MODULE_ALONE = re.compile(r"\S+\.(?:so(?:\.\d+)*|dylib|dll|exe)\s*$")


class RawFrame(msgspec.Struct, frozen=True):
    """A frame as printed: `function` with its parameters. `number` is its place if printed, `is_inline` a frame without one of
    its own, `is_unsure` one that the runtime itself marked as doubtful,
    `site` the address in a module that is no system library,
    `path` the module's when the frame has nothing else."""

    function: str | None = None
    file: str | None = None
    line: int | None = None
    module: str | None = None
    number: int | None = None
    site: str | None = None
    is_inline: bool = False
    is_unsure: bool = False
    path: str | None = None


def sanitizer_frame(line: str) -> RawFrame | None:
    """Read `#0 0x4f13bb in f(int) file.c:3:5`, its unsymbolized form `#0 0x4f13bb (/lib/x.so+0x4f)`, Chromium's and Fuchsia's."""
    match = _SANITIZER.match(line)
    if match is None:
        return None
    if line.startswith("#") and " in " in line and (debugged := gdb_frame(line)) is not None:
        return debugged
    rest = match["rest"] or ""
    number, inline = int(match["n"]), match["inline"] is not None
    return _split(rest, number, inline)


def plain_frame(line: str) -> RawFrame | None:
    """Read ThreadSanitizer's `#0 f(int) file.c:3 (exe+0x4f)`, which carries no address."""
    match = _PLAIN.match(line)
    return _split(match["rest"], int(match["n"]), False) if match is not None else None


def _split(rest: str, number: int, inline: bool) -> RawFrame:
    """Part a frame's text into function, file, line and module."""
    module = file = site = path = None
    at = None
    if "(BuildId" in rest:
        rest = _BUILD_ID.sub("", rest)
    found = _MODULE.search(rest) if "0x" in rest else None
    if found is not None:
        module, rest = found["module"].removesuffix(":x86_64").removesuffix(":arm64"), rest[: found.start()]
        path = module if not rest.strip() and module.startswith("/") else None
        if is_project_module(module):
            site = f"{_basename(module)}+0x{found['offset'].lower()}"
    elif "+0x" in rest and (found := _ANGLE.search(rest)) is not None:
        module, rest = found["module"] or None, rest[: found.start()]
    last = rest.rsplit(None, 1)  # what a place has no blanks in
    found = _PLACE.match(last[1]) if len(last) == 2 else None
    if found is not None:
        file, at, rest = found["file"], line_of(found["line"]), last[0]
    elif "+0x" in rest and (found := _PLACE_AND_SYMBOL.search(rest)) is not None:
        file, at, rest = found["file"], line_of(found["line"]), rest[: found.start()]
    elif len(last) == 2 and (found := _FILE_ALONE.match(last[1])) is not None:
        file, rest = found["file"], last[0]
    function = rest.strip().removesuffix(" <null>")
    if function in ("", "<null>", "<unknown>", "??", "???", "(<unknown module>)", "<unknown module>", "<unavailable>"):
        function = ""
    if function and module is None and _MODULE_ALONE.match(function):
        module, function = function, ""
    if file is not None and file in ("??", "<compiler-generated>", "<null>"):
        file = None
    if function and "(" not in function and "<" not in function and " " in function and function.startswith("/") is False:
        function = _first_name(function)
    if not function and module is not None and _SYSTEM_LIBRARY.match(module) is not None:
        module = None
    return RawFrame(demangle(function) if function else None, _tidy(file), at or None, _basename(module), number, site, inline, path=path)


def _first_name(text: str) -> str:
    """A C function is one word; what follows is a path that held spaces."""
    head, _, tail = text.partition(" ")
    return head if tail[:1] in "/.\\<" or "/" in tail or "\\" in tail else text


def _tidy(file: str | None) -> str | None:
    """A path with forward slashes and without the steps that lead out of a build folder."""
    if file is None:
        return None
    file = file.replace("\\", "/")[:1_000]
    while file.startswith(("./", "../")):
        file = file.partition("/")[2]
    return file or None


def _basename(module: str | None) -> str | None:
    return module.replace("\\", "/").rpartition("/")[2][:300] or None if module else None


def gdb_frame(line: str) -> RawFrame | None:
    """Read gdb's `#0  0x00007ffff7 in f (x=1) at file.c:3`."""
    frame = gdb_stack_frame(line)
    return (
        RawFrame(
            frame.function if frame.function != "???" else None,
            _tidy(frame.file),
            frame.line,
            frame.module,
            int(line[1:].split(None, 1)[0]),
        )
        if frame is not None
        else None
    )


def tombstone_frame(line: str) -> RawFrame | None:
    """Read Android's `#00 pc 0004f1d4  /system/lib64/libc.so (abort+116)`."""
    match = _TOMBSTONE.match(line.rstrip())
    return _from(match) if match is not None else None


def mac_frame(line: str) -> RawFrame | None:
    """Read macOS's and Swift's `3   Module   0x000000010a99 _ZN2ui1fEv + 19`."""
    match = _MAC.match(line.rstrip())
    if match is None or match["function"].startswith("<unavailable>"):
        return None
    return _from(match)


def chrome_windows_frame(line: str) -> RawFrame | None:
    """Read Chromium's Windows ` ns::f [0x00007FF9B2DDC1BA+58] (file.cc:332)`."""
    match = _CHROME_WINDOWS.match(line.rstrip())
    return _from(match) if match is not None else None


def glibc_frame(line: str) -> RawFrame | None:
    """Read backtrace_symbols' `/lib/x.so(f+0x1f)[0xf29b845f]`, as V8 prints it."""
    match = _GLIBC.match(line.rstrip())
    return _from(match) if match is not None else None


def lldb_frame(line: str) -> RawFrame | None:
    """Read lldb's `frame #0: 0x0000000000401136 a.out`f(n=1) at f.c:9:10`."""
    match = _LLDB.match(line.rstrip())
    return _from(match) if match is not None else None


def honggfuzz_frame(line: str) -> RawFrame | None:
    """Read honggfuzz's ` <0x0000000000401136> [func:f file:/src/f.c line:9 module:/out/a.out]`."""
    match = _HONGGFUZZ.match(line.rstrip())
    if match is None:
        return None
    frame = _from(match)
    return frame if frame.function != "UNKNOWN" else msgspec.structs.replace(frame, function=None)


def kernel_frame(line: str) -> RawFrame | None:
    """Read the kernel's `[<ffffffc0002099e8>] f+0x0/0x148 file.c:90`."""
    match = _KERNEL.match(line)
    if match is None:
        return None
    inline = match["address"] in ("inline", "none")
    place = line_of(match["line"])
    return RawFrame(match["function"], match["file"], place, is_inline=inline, is_unsure=match["unsure"] is not None)


def bare_kernel_frame(line: str) -> RawFrame | None:
    """Read the newer kernel's ` f+0x1f/0x40 file.c:90 [inline]` beneath `Call Trace:`."""
    match = _KERNEL_BARE.match(line)
    if match is None or ("+0x" not in line and match["file"] is None):
        return None
    place = line_of(match["line"])
    return RawFrame(
        match["function"],
        match["file"],
        place,
        match["module"],
        is_inline=match["inline"] is not None,
        is_unsure=match["unsure"] is not None,
    )


def java_frame(line: str) -> RawFrame | None:
    """Read Java's `at com.example.C.f(C.java:51)`."""
    match = _JAVA.match(line.rstrip())
    return _from(match) if match is not None else None


def javascript_frame(line: str) -> RawFrame | None:
    """Read V8's `at f (/out/x.ts:6:15)`; an anonymous function has no name."""
    match = _JAVASCRIPT.match(line.rstrip())
    return _from(match) if match is not None else None


def python_frame(line: str) -> RawFrame | None:
    """Read Python's `File "x.py", line 24, in f`, and faulthandler's, which has no comma before `in`."""
    match = _PYTHON.match(line.rstrip())
    return _from(match) if match is not None else None


def go_frame(line: str, place: str) -> RawFrame | None:
    """Read Go's two lines: `pkg/path.(*T).f(0x1, ...)` and `<tab>/src/x.go:17 +0x3c`."""
    indent = len(line) - len(line.lstrip(" "))  # a race report's and a test's are indented; a place stands further in than its frame
    if len(place) - len(place.lstrip(" ")) <= indent:
        return None
    line = line[indent:]
    match, where = _GO.match(_flatten(line)), _GO_PLACE.match(place)
    if match is None or where is None:
        return None
    return RawFrame(match["function"], where["file"], line_of(where["line"]), is_unsure="?" in match["args"])


def _flatten(line: str) -> str:
    """Go's arguments may be nested in braces: keep only the outer list."""
    return line.replace("{", "").replace("}", "")


def rust_frame(line: str) -> RawFrame | None:
    """Read Rust's `  14: krate::f`."""
    match = _RUST.match(line.rstrip())
    return _from(match) if match is not None else None


def rust_place(line: str) -> tuple[str, int | None] | None:
    """Read the line beneath a Rust frame: `at src/x.rs:14:5`."""
    match = _RUST_PLACE.match(line)
    return (_tidy(match["file"]) or match["file"], line_of(match["line"])) if match is not None else None


def memcheck_frame(line: str) -> RawFrame | None:
    """Read Valgrind's `==7==    by 0x40101F: f(int) (f.c:9)` and its form `g (in /lib/x.so)`."""
    match = _MEMCHECK.match(line)
    if match is None:
        return None
    frame = _from(match)
    name = frame.function if frame.function != "???" else None
    return msgspec.structs.replace(frame, function=name, number=0 if match["first"] == "at" else None)


def dotnet_frame(line: str) -> RawFrame | None:
    """Read .NET's `   at N.T.M(String s) in /src/T.cs:line 9` and Mono's `  at N.T.M (System.String s) [0x00001] in /src/T.cs:9`."""
    match = _DOTNET.match(line)
    end = line.rfind(")")
    if match is None or end < match.end():
        return None
    place = _DOTNET_PLACE.match(line, line.rfind(" in ", end))
    if place is None or place["file"].startswith("<"):
        return RawFrame(match["function"])
    return RawFrame(match["function"], _tidy(place["file"]), line_of(place["line"]))


def hotspot_frame(line: str) -> RawFrame | None:
    """Read a frame of the Java virtual machine's own crash report: `C  [libx.so+0x1f]  f+0x1f`, `j  com.example.C.f(I)V+9`."""
    match = _HOTSPOT.match(line)
    if match is None:
        return None
    if match["java"] is not None:
        return RawFrame(match["java"])
    native = match["native"]
    return RawFrame(demangle(native.strip()) if native is not None else None, module=_basename(match["module"]))


def php_call(line: str) -> RawFrame | None:
    """Read PHP's `#0 /src/x.php(9): N\\T->f()`: the function that was called, and where it was called from."""
    match = _PHP.match(line)
    return RawFrame(match["function"], _tidy(match["file"]), line_of(match["line"])) if match is not None else None


def windbg_frame(line: str) -> RawFrame | None:
    """Read cdb's `002df7e4 00fd1423 Module!f+0x1e` and its 64-bit form with backticks."""
    match = _WINDBG.match(line.rstrip())
    return _from(match) if match is not None else None


def _from(match: re.Match[str]) -> RawFrame:
    found = match.groupdict()
    line, number = found.get("line"), found.get("n")
    function = found.get("function")
    return RawFrame(
        demangle(function.strip()) if function and function.strip() not in ("??", "<unknown>") else None,
        _tidy(found.get("file")),
        line_of(line),
        _basename(found.get("module")),
        line_of(number),
    )
