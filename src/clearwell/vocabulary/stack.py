# SPDX-License-Identifier: Apache-2.0
"""Stacks: one spelling for a function's name, and which frames belong to runtimes, allocators, sanitizers and harnesses."""

import re
from functools import lru_cache

from clearwell.vocabulary.finding import Frame

MAX_NAME = 4_000
_ANONYMOUS = re.compile(r"\(anonymous namespace\)::|`anonymous namespace'::|\{anonymous\}::|\(anonymous\)::|<unnamed>::")
_ABI_TAG = re.compile(r"\[abi:[^\]]{0,100}\]|\[clone [^\]]{0,200}\]|\[inlined\]")
_SUFFIX = re.compile(
    r"(?:\.(?:part|constprop|isra|cold|llvm|localalias)(?:\.\d+)*)+$|\$[0-9a-f]{32}(?:\.cfi)?$|\.cfi(?:_jt)?$|@@?[A-Z][\w.]*$"
)
_RUST_HASH = re.compile(r"::h[0-9a-f]{16}$")
_RUST_ESCAPES = {
    "$LT$": "<", "$GT$": ">", "$C$": ",", "$RF$": "&", "$BP$": "*", "$LP$": "(", "$RP$": ")",
    "$u20$": " ", "$u27$": "'", "$u5b$": "[", "$u5d$": "]", "$u7b$": "{", "$u7d$": "}", "$u7e$": "~", "$SP$": "@",
}  # fmt: skip
_THUNK = re.compile(r"^(?:decltype\(auto\) |non-virtual thunk to |virtual thunk to |guard variable for |\[thunk\]: )")
_GO = re.compile(r"[\w./~-]*\(\*?[\w.\[\]]+\)\.[\w.()*-]+")
_OPERATOR = re.compile(r"(?:^|::|\s)operator\s*(?:\(\)|<=>|<<=?|>>=?|->\*?|<=?|>=?|\"\"\s?\w+)")


@lru_cache(maxsize=8192)
def normalize_function(name: str) -> str:
    """Return a function's plain qualified name: no parameters, template arguments, anonymous namespaces, ABI tags, return type
    or compiler suffixes. `void ns::(anonymous namespace)::f<int>(char*) const` is `ns::f`."""
    text = _THUNK.sub("", _ABI_TAG.sub("", _ANONYMOUS.sub("", name[:MAX_NAME]))).strip()
    if text.endswith((".<init>", ".<clinit>", ".<anonymous>")):
        return text  # Java's and JavaScript's names for what has none
    if any(mark in text for mark in (">b__", ">d__", ">g__", ">m__")):
        return text.split("(", 1)[0]  # .NET's, which tell whose lambda, iterator or local function it is
    if "$" in text:
        text = _decode_rust(text)
    text = _RUST_HASH.sub("", text)
    if any(c in text for c in "<([") and not text.startswith(("-[", "+[")) and _GO.fullmatch(text) is None:
        text = _strip_brackets(text)
    text = _SUFFIX.sub("", text.strip())
    if " " in text and not text.startswith(("operator ", "-[", "+[")):
        text = _last_word(text)
    return text.strip(":").strip() or name.strip()[:200]


def _decode_rust(text: str) -> str:
    for escape, character in _RUST_ESCAPES.items():
        text = text.replace(escape, character)
    text = text.replace("..", "::")
    return text[1:] if text.startswith("_<") else text


def _strip_brackets(text: str) -> str:
    """Drop template arguments and everything from the parameter list on, leaving `operator<` and its kin whole."""
    operators = {match.end(): match for match in _OPERATOR.finditer(text)}
    starts = {match.start(): end for end, match in operators.items()}
    if text.startswith("<"):
        text, starts = _unwrap_impl(text), {}
    kept: list[str] = []
    depth, at = 0, 0
    while at < len(text):
        if depth == 0 and at in starts:
            kept.append(text[at : starts[at]])
            at = starts[at]
            continue
        character = text[at]
        if character in "<([":
            if character == "(" and depth == 0 and kept and "".join(kept[-1:]).strip():
                break
            depth += 1
        elif character in ">)]":
            if not (character == ">" and text[at - 1 : at] == "-"):
                depth = max(depth - 1, 0)
        elif depth == 0:
            kept.append(character)
        at += 1
    return "".join(kept).replace("::::", "::")


def _unwrap_impl(text: str) -> str:
    """Rust's `<Type as Trait>::method` is `Type::method`."""
    depth = 0
    for at, character in enumerate(text):
        depth += (character == "<") - (character == ">" and text[at - 1] != "-")
        if depth == 0:
            inner = text[1:at].split(" as ", 1)[0].lstrip("&*")
            return inner + text[at + 1 :]
    return text


def _last_word(text: str) -> str:
    """Drop a return type: what stands before the last space that no `operator` owns."""
    if " operator " in text or "::operator " in text:
        head, _, tail = text.partition("operator ")
        return f"{head.rpartition(' ')[2]}operator {tail}"
    return text.removesuffix(" const").rpartition(" ")[2]


# Frames that say nothing of the flaw's place. Names are matched at their start, without return types.
_RUNTIME = re.compile(
    r"(?:"
    # sanitizers and instrumentation
    r"_{0,3}(?:interceptor|asan|msan|tsan|hwasan|lsan|ubsan|dfsan|sanitizer|sancov|memprof|cfi)_|__asan::|__msan::|__tsan::"
    r"|__hwasan::|__lsan::|__ubsan|"
    r"__sanitizer::|__interception::|_?_?asan_thread_start|ubsan_GetStackTrace|wrap_\w*alloc|wrap_free|StrtolFixAndCheck"
    r"|printf_common|scanf_common|"
    r"MemcmpInterceptorCommon|CharCmpX?|strcmp_common|QuarantineCallback|"
    # allocators
    r"(?:_*(?:(?:libc|GI|int|rust)_+)*(?:malloc|calloc|realloc|reallocarray|free|cfree|memalign|posix_memalign|aligned_alloc"
    r"|valloc|pvalloc|xmalloc_die)"
    r"|operator (?:new|delete)(?:\[\])?|__libcpp_(?:de)?allocate\w*|_int_free\w*|malloc_(?:consolidate|printerr)|tcache_\w+"
    r"|__rdl_\w+|__rg_\w+|__rust_\w+)$|"
    # memory, string and output functions of the C library
    r"_*(?:(?:GI|libc)_+)*(?:mem(?:cpy|move|set|cmp|chr|rchr|mem|ccpy)|mempcpy|bcopy|bcmp|bzero|explicit_bzero"
    r"|str(?:len|nlen|cpy|ncpy|lcpy|cat|ncat|lcat|cmp|ncmp|casecmp|ncasecmp|chr|chrnul|rchr|str|casestr|dup|ndup|tok|tok_r|sep"
    r"|spn|cspn|pbrk|coll)|stpn?cpy"
    r"|wcs(?:len|nlen|cpy|ncpy|cat|cmp|chr|rchr|str)|wmem(?:cpy|move|set|cmp))"
    r"(?:_(?:chk|internal|common|fast|avx\w*|sse\w*|evex\w*|erms\w*|unaligned\w*|ssse3\w*|aarch64|generic|neon|nt))*$|"
    r"_*(?:(?:GI|libc)_+)*v?(?:f|s|sn|as|d|sw|w)?printf(?:_\w+)?$|_IO_\w+$|unlink_chunk|sysmalloc|"
    # ways to stop: abort, assert, throw, terminate, log fatally
    r"_*(?:(?:GI|libc)_+)*(?:abort|raise|gsignal|kill|tgkill|pthread_kill|pthread_kill_implementation|pthread_kill_internal|libc_message"
    r"|fortify_fail|stack_chk_fail"
    r"|chk_fail|assert|assert_fail|assert_fail_base|assert_rtn|assert2|assert_perror_fail|assert13|android_log_assert|libc_fatal)$|"
    r"abort_message|demangling_(?:terminate|unexpected)_handler|_Unwind_|__cxa_|__gxx_|__gnu_cxx::__verbose_terminate_handler"
    r"|_objc_terminate|__clang_call_terminate|"
    r"pthread_(?:mutex|rwlock|spin|cond|once|create|join)\w*$|__run_exit_handlers$|exit$|_exit$|__restore_rt|__kernel_rt_sigreturn|_sigtramp|SignalHandler|CrashTrampolineAsm|"
    r"g_assertion_message|g_logv?$|g_log_|g_return_if_fail_warning|custom_logger$|qt_assert|QMessageLogger::|"
    r"logging::|base::debug::|base::(?:internal::)?ImmediateCrash|ImmediateCrash$|google::LogMessage|absl::log_internal::"
    r"|absl::lts_\w+::log_internal::|"
    r"V8_Fatal|V8_Dcheck|v8::base::|v8::api_internal::|v8::Utils::ReportApiFailure|v8::internal::Isolate::PushStackTraceAndDie|"
    r"v8::internal::(?:__RT_impl_)?Runtime_Abort|v8::internal::V8::FatalProcessOutOfMemory"
    r"|v8::internal::Heap::FatalProcessOutOfMemory|blink::ReportV8\w*Error|"
    r"WTFCrash|WTFReportBacktrace|DebugBreak|RaiseException|KiUserExceptionDispatch|RtlRaiseException|fx_logger|fidl::|syslog::"
    r"|libc_io_functions_not_implemented|"
    # the harness and process start
    r"fuzzer::|fuzztest::|centipede::|LLVMFuzzer|FuzzerTestOneInput|rust_fuzzer_test_input|libfuzzer_sys::|libafl|afl_|__afl_"
    r"|hfuzz_|HonggfuzzMain|RunOneTest|"
    r"HandleOnePc$|CentipedeRunnerMain|testing::|atheris|com\.code_intelligence\.jazzer\.|jdk\.internal\.reflect\."
    r"|java\.base/jdk\.internal\.reflect\.|"
    r"(?:main|_main|wmain|WinMain|wWinMain|_start|start|start_main|_?start_thread|thread_start|clone\d?|__clone\d?"
    r"|__bionic_clone|__(?:rt_)?start_thread|__pthread_start"
    r"|__libc_start_main\w*|__libc_start_call_main|__scrt_common_main\w*|invoke_main|mainCRTStartup|wmainCRTStartup"
    r"|__tmainCRTStartup|BaseThreadInitThunk"
    r"|_*RtlUserThreadStart|Py_BytesMain|Py_Main)$|"
    # languages' own runtimes
    r"std::(?!__1::|__u::|__Cr::|__ndk1::|__2::)|core::|alloc::|panic_abort::|panic_unwind::|rust_(?:panic|begin_unwind|oom"
    r"|start|eh_)|__rustc|<(?:std|core|alloc)::|"
    r"(?:closure #\d+ .*? in )*(?:Swift\.|_swift_|swift_)|_swift_|swift_|function signature specialization|"
    r"runtime\.(?:raise|raiseproc|gopanic|goPanic|panic|throw|fatal|sigpanic|goexit|dieFromSignal|sigfwdgo|crash|abort"
    r"|systemstack|mcall|morestack|newstack|main"
    r"|printpanics|startpanic|asmcgocall|cgocall|makeslice|growslice|chan|map)\w*|panic$|created by |testing\.|_cgoexp|_rt0_"
    r"|runtime/debug\.|"
    # kernels
    r"dump_backtrace|show_(?:stack|regs)|_*dump_stack|print_(?:address_description|report)|_*kasan_|_*kmsan_"
    r"|check_memory_region|_*check_region_inline|"
    r"__(?:hw)?asan_|report_bug|__warn|warn_slowpath|do_(?:page_fault|mem_abort|kernel_fault)|_etext$|\.L__|\.str|oops_"
    r"|unwind_backtrace|handle_bug|exc_\w+|asm_exc_|"
    r"el1_(?:sync|abort|da)|die$|panic$|save_stack|kasan_save_|ret_from_fork|entry_SYSCALL"
    r")"
)
_RUNTIME_ANYWHERE = re.compile(r"logging::(?:LogMessage|CheckError|ErrnoLogMessage|NotReachedError)|fuzztest::internal::|std::__throw_")
_RUNTIME_FILE = re.compile(
    r"(?:^|[/\\])compiler-rt[/\\]lib[/\\]|[/\\]lib[fF]uzzer[/\\](?:src[/\\])?(?:Fuzzer\w*\.|afl[/\\]|standalone)|Release\+Asserts/include/c\+\+|(?:buildtools|gen)/third_party/libc\+\+|"
    r"^node:internal/|/rustc/[0-9a-f]{7,}/|/rustlib/src/rust/library/|(?:^|[/\\])libfuzzer-sys-|libcxxabi|_asan_rtl_"
)
_LIBRARY_FILE = re.compile(
    r"/lib/python\d\.\d+/(?!site-packages/|dist-packages/)|<frozen "
    r"|/include/c\+\+/|/c\+\+/v1/|^/usr/include/|glibc[-/]|/sysdeps/|csu/libc-start|\bnptl/|bionic/libc/|vctools/crt/|src_work/crt"
)
_RUNTIME_MODULE = re.compile(
    r"(?:^|[/\\])(?:libc(?:-[\d.]+)?\.so|libc\+\+|libstdc\+\+|libpthread|libm(?:-[\d.]+)?\.so|ld-linux|ld-[\d.]+\.so|libclang_rt|libasan|libubsan|libtsan|liblsan|libgcc_s"
    r"|linux-gate|libunwind|libsystem_|libdyld|libdispatch|dyld|ntdll|KERNEL32|KERNELBASE|ucrtbase|msvcrt|vcruntime)",
    re.IGNORECASE,
)
_ENTRY = re.compile(
    r"(?:LLVMFuzzerTestOneInput|rust_fuzzer_test_input|main|_main|_start|start|__libc_start_main|__libc_start_call_main"
    r"|start_thread|clone\d?|BaseThreadInitThunk"
    r"|RtlUserThreadStart|wmain|__pthread_start|_pthread_start|thread_start|Java_.*|main\.main|goexit|runtime\.goexit|ret_from_fork)(?:$|\()"
)


def is_runtime(function: str | None, file: str | None = None, module: str | None = None) -> bool:
    """True for a frame of a runtime, allocator, sanitizer, harness or of process start; `function` without return type."""
    if function is not None:
        return _is_runtime_name(function[:MAX_NAME]) or (file is not None and _is_in(file[:MAX_NAME])[0])
    return module is not None and _is_runtime_module(module[:MAX_NAME])


# A stack names few files and modules, and each of its frames is asked about twice or more: the answers are kept.


@lru_cache(maxsize=8192)
def _is_runtime_name(function: str) -> bool:
    return _RUNTIME.match(function) is not None or _RUNTIME_ANYWHERE.search(function) is not None


@lru_cache(maxsize=8192)
def _is_in(file: str) -> tuple[bool, bool]:
    """Say whether a file is a runtime's, and whether it is a library's."""
    return _RUNTIME_FILE.search(file) is not None, _LIBRARY_FILE.search(file) is not None


@lru_cache(maxsize=1024)
def _is_runtime_module(module: str) -> bool:
    return _RUNTIME_MODULE.search(module) is not None


def is_library(frame: Frame) -> bool:
    """True for a frame of a language's own library (C, C++, Java, Python): not the project's code, though OSS-Fuzz's states keep some."""
    if frame.module is not None and _is_runtime_module(frame.module[:MAX_NAME]):
        return True
    in_library = frame.file is not None and _is_in(frame.file[:MAX_NAME])[1]
    return in_library or (frame.function or "").startswith(
        ("std::", "__gnu_cxx::", "java.", "javax.", "jdk.", "sun.", "System.", "Microsoft.")
    )


_SYSTEM_MODULE = re.compile(r"(?:/usr)?/lib(?:32|64|exec)?/|/System/Library/|/system/|/apex/|/vendor/|[Cc]:[/\\][Ww][Ii][Nn][Dd]|\[")


def is_project_module(path: str) -> bool:
    """True for a program or library that is not the system's own (by its path) nor a language's runtime (by its name)."""
    return _SYSTEM_MODULE.match(path) is None and not _is_runtime_module(path[:MAX_NAME])


def is_entry(function: str) -> bool:
    """True for the function at which a stack's useful part ends: the fuzz target's, the program's or the thread's."""
    return _ENTRY.match(function) is not None


_GDB_HEAD = re.compile(r"#\d{1,5}\s+(?:0x[0-9a-f]+ in )?(?=[A-Za-z_~`(<*?])")
_GDB_PLACE = re.compile(r"\) at (?P<file>\S{1,1000}):(?P<line>\d{1,9})$|\) from (?P<module>\S{1,1000})$|\)$")


def gdb_stack_frame(line: str) -> Frame | None:
    """Read gdb's `#1  0x00007ffff7 in f (x=1) at file.c:3` or `... from /lib/x.so`, which several documents hold; None otherwise."""
    line = line.rstrip()
    head = _GDB_HEAD.match(line)
    last = line.rfind(")")
    place = _GDB_PLACE.match(line, last) if head is not None and last > 0 else None
    if head is None or place is None:
        return None
    end = line.find(" (", head.end())
    if end < 0 or end > last:
        return None
    number, module = place["line"], place["module"]
    name = line[head.end() : end]
    return Frame(
        None if name == "??" else name, place["file"], int(number) if number else None, module.rpartition("/")[2] if module else None
    )


def frames_that_matter(frames: tuple[Frame, ...], limit: int = 50) -> tuple[Frame, ...]:
    """Return a stack's frames, innermost first, without runtime, allocator, sanitizer, library and harness frames, names normalized."""
    kept: list[Frame] = []
    for frame in frames:
        if len(kept) == limit:
            break
        name = normalize_function(frame.function) if frame.function else None
        if frame.function is not None and is_entry(frame.function):
            break
        plain = Frame(name, frame.file, frame.line, frame.module)
        if (name is None and frame.module is None) or is_runtime(name, frame.file, frame.module) or is_library(plain):
            continue
        kept.append(plain)
    named = tuple(frame for frame in kept if frame.function is not None)
    return named or tuple(kept)
