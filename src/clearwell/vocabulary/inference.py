# SPDX-License-Identifier: Apache-2.0
"""Weaknesses inferred where a document states none: from a tool's own words for a rule, and from a crash's class.

An inferred weakness says so (`source: inferred`) and from what. The tables are ordered: the first line that matches wins, so
particular words stand before general ones. A word that could mean two unrelated weaknesses is left out: no guess (never 7).
"""

import re

from clearwell.vocabulary.weakness import Weakness

# fmt: off
WORDS: tuple[tuple[str, str, str], ...] = (
    # words (regular expression over lower-case words joined by single spaces), CWE, why
    (r"http ?only", "CWE-1004", "names the cookie attribute whose absence lets scripts read it"),
    (r"same ?site", "CWE-1275", "names the cookie attribute that limits cross-site sending"),
    (r"cookie.{0,40}secure|secure.{0,20}cookie|insecure cookie", "CWE-614", "the cookie's Secure attribute"),
    (r"x xss protection|xss (?:auditor|filter)", "CWE-693", "a header that browsers' own filters obey"),
    (r"response splitting|crlf|header injection", "CWE-113", "line breaks that end a header early"),
    (r"request smuggling", "CWE-444", "two parsers disagree where a request ends"),
    (r"no ?sql", "CWE-943", "a data query that is no SQL"),
    (r"hql injection|hibernate injection", "CWE-564", "SQL injection through Hibernate"),
    (r"sqli\b|sql ?injection|sql string|tainted sql|raw (?:sql )?query|formatted sql|hardcoded sql", "CWE-89", "input reaches SQL text"),
    (r"ldap ?injection|ldapi\b|ldap inject", "CWE-90", "input reaches an LDAP filter"),
    (r"anonymous ldap|ldap bind", "CWE-287", "a directory is used without authentication"),
    (r"xpath ?injection|xpathi\b", "CWE-643", "input reaches an XPath expression"),
    (r"xquery", "CWE-652", "input reaches an XQuery expression"),
    (r"xxe\b|external entit|xml external", "CWE-611", "XML external entities"),
    (r"entity expansion|billion laughs|xml bomb", "CWE-776", "XML entities that expand without limit"),
    (r"prototype pollution|proto pollution", "CWE-1321", "an object's prototype is written by input"),
    (r"mass assignment", "CWE-915", "attributes chosen by input"),
    (r"deserial|unpickl|pickle|unmarshal|unsafe yaml|yaml load|xml decoder|marshal load", "CWE-502", "untrusted data becomes objects"),
    (r"template injection|ssti\b", "CWE-1336", "input reaches a template's own code"),
    (r"expression language|\bel injection|ognl|spel injection", "CWE-917", "input reaches an expression language"),
    (r"argument injection|option injection", "CWE-88", "input becomes an option of a command"),
    (r"csv injection|formula injection", "CWE-1236", "input becomes a spreadsheet's formula"),
    (r"command ?injection|arbitrary (?:(?:os|shell|system) )?commands?|command execution|command line injection|os command|"
     r"shell injection|cmdi\b|shell true|subprocess.{0,30}shell|dangerous (?:sub)?process|process injection|runtime exec|"
     r"child process|exec injection|start process with a shell|system call",
     "CWE-78", "input reaches an operating system command"),
    (r"code ?injection|script engine|eval injection|eval use|use of eval|eval detected|detect eval|exec used|exec detected|"
     r"code execution",
     "CWE-94", "input is run as code"),
    (r"reflective xss|reflected xss|stored xss|dom xss|xss\b|cross site scripting|xssrequest",
     "CWE-79", "input becomes markup or script"),
    (r"clickjack|ui redress", "CWE-1021", "a page shown inside another"),
    (r"session fixation", "CWE-384", "a session chosen by another"),
    (r"\bcors\b|cross origin resource", "CWE-942", "any origin may read it"),
    (r"csrf|cross site request forgery|xsrf|anti ?forgery", "CWE-352", "requests without proof of the user's intent"),
    (r"ssrf|server side request forgery|request forgery", "CWE-918", "the server requests what input names"),
    (r"(?:attacker controlled|user controlled|user supplied|arbitrary) (?:ur[il]s?|addresses)",
     "CWE-918", "the server requests what input names"),
    (r"open redirect|url redirect|unvalidated redirect|open redirection", "CWE-601", "input chooses where a browser goes"),
    (r"zip ?slip|tar ?slip|path traversal|path ?injection|directory traversal|path manipulation|tainted path|pathtraver|"
     r"file inclusion",
     "CWE-22", "input names a file outside its folder"),
    (r"symlink|symbolic link|link following", "CWE-59", "a link leads elsewhere"),
    (r"arbitrary (?:local )?files? (?:over)?(?:writ|read|delet|access|disclos|creat)|non literal f(?:s|ile)",
     "CWE-22", "input names a file outside its folder"),
    (r"unrestricted.{0,12}upload|file upload", "CWE-434", "files of any type are accepted"),
    (r"re ?do ?s\b|non literal reg|regular expression denial|catastrophic backtrack|inefficient reg|polynomial reg|"
     r"exponential reg",
     "CWE-1333", "a regular expression whose time explodes"),
    (r"algorithmic complexity|quadratic (?:time|complexity|behavio|run)|exponential time|super ?linear",
     "CWE-407", "time that grows faster than the input"),
    (r"hard ?coded?.{0,24}(?:password|passwd|secret|credential|token|key)|(?:password|secret|credential|"
     r"api key).{0,16}hard ?coded?|secrets? detected|detected secrets?\b|"
     r"high entropy string|ckv secret [0-9]|\Asecret\Z|detected (?:[a-z0-9]+ ){1,4}(?:key|token|secret|password)",
     "CWE-798", "a credential stands in the code"),
    (r"stack trace|traceback", "CWE-209", "an error message tells inner details"),
    (r"debug (?:mode|enabled)|flask debug|active debug", "CWE-489", "debugging left on"),
    (r"log injection|log forging", "CWE-117", "input forges log lines"),
    (r"clear ?text (?:logging|log)|sensitive.{0,20}log|log.{0,20}(?:password|credential)", "CWE-532", "secrets reach a log"),
    (r"(?:leak|expos|disclos)[a-z]{0,4} (?:of )?(?:secret|credential|password|token|api key|private key)",
     "CWE-522", "credentials shown to those who should not see them"),
    (r"(?:clear|plain) ?text (?:password |secret |credential )?stor|stor[a-z]{1,3} .{0,24}(?:clear|plain) ?text",
     "CWE-312", "secrets stored as they are"),
    (r"unencrypted (?:[a-z]+ ){0,2}(?:socket|connection|transport|traffic|channel|communication|request|protocol|http|ftp|smtp|redis)|"
     r"clear ?text (?:transm|protocol|http)|insecure transport|unencrypted in transit",
     "CWE-319", "secrets travel as they are"),
    (r"(?:unencrypted|not encrypted|without encryption|encryption (?:[a-z]+ ){0,3}(?:disabled|not enabled)|no encryption)",
     "CWE-311", "secrets kept or sent as they are"),
    (r"trust manager|hostname verif|cert(?:ificate)? (?:validation|verification)|without cert|ssl verif|verify false|"
     r"host key|(?:tls|ssl|cert(?:ificate)?) (?:[a-z]+ )?(?:check[a-z]*|verification|validation) (?:is |was )?(?:disabled|"
     r"skipped|off)|skip verify|disabled? (?:tls|ssl|cert)",
     "CWE-295", "a peer's certificate or key is not checked"),
    (r"jwt.{0,30}(?:none|verif|signature)|signature verif|missing signature", "CWE-347", "a signature is not checked"),
    (r"(?:password|credential).{0,24}(?:md5|sha1|weak hash)|weak password hash", "CWE-916", "a password hash that is too cheap"),
    (r"weak (?:[a-z]+ ){0,3}hash|md5|md4|\bsha ?1\b|weak digest|insecure hash|custom digest",
     "CWE-328", "a hash whose collisions are known"),
    (r"initialization vector|static iv|predictable iv", "CWE-329", "an initialization vector that is not random"),
    (r"weak (?:crypto )?key|key size|insufficient key|short key|small key", "CWE-326", "a key that is too short"),
    (r"padding oracle|cbc|ecb|\brc4\b|\bdes\b|null cipher|weak cipher|weak crypto|broken crypto|insecure cipher|"
     r"weak cryptographic|weak ssl|insecure (?:ssl|tls|protocol|default protocol)|weak (?:tls|protocol)|"
     r"crypto(?:graphic)? algorithm",
     "CWE-327", "a cipher or protocol known to be weak"),
    (r"insecure random|weak random|weak rand|not cryptographically|pseudo ?random|predictable random|predictable (?:token|"
     r"session|id|seed|value|nonce)|insufficient(?:ly)? random|sufficiently random",
     "CWE-330", "values that can be foretold"),
    (r"trust ?bound", "CWE-501", "trusted and untrusted data are mixed"),
    (r"timing (?:side channel|attack|leak|discrepancy)|constant time", "CWE-208", "a secret compared in varying time"),
    (r"(?:insecure|predictable|hard ?coded) temp(?:orary)?(?: (?:file|dir|folder|path)|\b)|temp(?:orary)? file (?:creat|name|race|vuln)|"
     r"mktemp|tmpnam|tempnam",
     "CWE-377", "a temporary file that others can foretell"),
    (r"toctou|time of check|check then use|access then open", "CWE-367", "what was checked can change before its use"),
    (r"race condition|data race", "CWE-362", "concurrent use without order"),
    (r"overly permissive|world writ|insecure (?:file )?permission|chmod|file permission", "CWE-732", "others may read or write it"),
    (r"auth(?:entication)? bypass|bypass(?:es|ing)? (?:the )?authentication|improper authentication",
     "CWE-287", "an identity that is not proven"),
    (r"(?:authorization|access control|permission) (?:check )?bypass|incorrect authorization",
     "CWE-863", "a check of rights that can be passed by"),
    (r"improper access control", "CWE-284", "rights that are not kept apart"),
    (r"missing authorization|missing access check|broken access|\bidor\b|insecure direct object",
     "CWE-862", "an act without a check of rights"),
    (r"missing authentication|unauthenticated (?:access|endpoint|api|route|admin|call|function)|without (?:any )?authentication|no auth\b",
     "CWE-306", "an act without knowing who asks"),
    (r"bind.{0,20}all (?:network )?interfaces|0 0 0 0", "CWE-668", "a service reachable from every network"),
    (r"(?:uncontrolled|tainted|externally controlled|user controlled|attacker controlled|non ?literal|non ?constant|unsafe|missing) "
     r"format ?string|format ?strings? (?:vuln|attack|bug|inject|flaw|is not a|from|comes|can be influenced)|format ?string\Z",
     "CWE-134", "input is a format string"),
    (r"unsafe reflection|class chosen by", "CWE-470", "input chooses a class or method"),
    (r"unquoted search path", "CWE-428", "a path with a blank"),
    (r"dll (?:hijack|preload|sideload)|dependency confusion|uncontrolled search path", "CWE-427", "another's file is found first"),
    (r"uninit(?:ialized)? pointer|wild pointer", "CWE-824", "a pointer that was not written"),
    (r"use after free|(?:use|used|uses|access|accessed|read|written|memory) after (?:it |they |its |being |having been |was |"
     r"is |has been |were )*(?:free|freed|release|released|deleted)|\buaf\b|dangling pointer|use of freed|"
     r"use of free memory|use after move",
     "CWE-416", "memory used after its release"),
    (r"double free|(?:freed|released) (?:twice|again)|(?:free|release|delete) (?:of )?(?:already )?(?:freed|released) memory",
     "CWE-415", "memory released twice"),
    (r"invalid free|free of non heap|free non heap|bad free", "CWE-590", "memory released that was not allocated"),
    (r"(?:null|nil) ?(?:pointer)? ?deref|null (?:[a-z]+ ){1,3}dereferenc|null pointer|nil pointer|"
     r"nullptr deref|dereference of null|npe\b", "CWE-476", "a null pointer is used"),
    (r"uninit(?:ialized)?|(?:variables?|members?|fields?|values?|memory|pointers?) (?:[a-z]+ ){0,2}not initialized",
     "CWE-457", "memory read before it was written"),
    (r"integer overflow|int overflow|arithmetic overflow|multiplication overflow|integer multiplication cast|"
     r"overflow in (?:multiplication|arithmetic)|wrap ?around",
     "CWE-190", "a number that does not fit its type"),
    (r"integer truncation|truncat(?:ion|ed|es) .{0,20}(?:integer|length|size)", "CWE-197", "a number cut to a smaller type"),
    (r"integer underflow", "CWE-191", "a number that falls below its type"),
    (r"divi(?:de|sion) by zero|divide zero", "CWE-369", "a division by zero"),
    (r"off by one|off by 1\b", "CWE-193", "a bound that is one too far"),
    (r"buffer (?:under ?(?:flow|run|write))|under ?write", "CWE-124", "a write before its buffer"),
    (r"stack (?:based )?buffer overflow|stack overflow write", "CWE-121", "a write past an array on the stack"),
    (r"heap (?:based )?buffer overflow|heap overflow", "CWE-122", "a write past a heap block"),
    (r"out of bounds writ|oob writ|buffer overrun|overrunning write|unbounded write|writ(?:e|es|ten|"
     r"ing) (?:[a-z0-9]+ ){0,5}(?:past|beyond|outside|after) (?:[a-z0-9]+ ){0,4}(?:end|bounds?|buffer|array|allocation|"
     r"block)|write past",
     "CWE-787", "a write outside its buffer"),
    (r"out of bounds read|oob read|over ?read|read past|buffer over read|read(?:s|ing)? (?:[a-z0-9]+ ){0,5}(?:past|beyond|"
     r"outside|after) (?:[a-z0-9]+ ){0,4}(?:end|bounds?|buffer|array|allocation|block)",
     "CWE-125", "a read outside its buffer"),
    (r"buffer overflow|strcpy|strcat|vsprintf|(?<!n )sprintf|unbounded copy|"
     r"(?:use of|uses?|using|calls? to|call|insecure api|dangerous|deprecated) (?:the )?(?:function )?gets\b|gets fn|"
     r"scanf .{0,40}(?:width|limit|overflow|bound)",
      "CWE-120", "a copy without a check of size"),
    (r"out of bounds|index out of|array index|array bounds|(?:missing|no|lack of|lacks|without) (?:a )?bounds? check",
     "CWE-119", "an access outside its buffer"),
    (r"memory leak|resource leak|leak of memory|"
     r"leaked (?:memory|object|storage|handle|descriptor|resource)|(?:memory|handle|descriptor) leaked",
     "CWE-401", "memory or a resource that is never released"),
    (r"type confusion|bad cast", "CWE-843", "an object used as another type"),
    (r"infinite loop|endless loop", "CWE-835", "a loop that does not end"),
    (r"(?:zip|decompression) bomb|highly compressed", "CWE-409", "little data unpacks to very much"),
    (r"(?:uncontrolled|excessive|unbounded|large|huge) (?:memory )?allocation|allocation size",
     "CWE-789", "input chooses how much memory is taken"),
    (r"rate limit", "CWE-770", "requests without limit"),
    (r"deadlock", "CWE-833", "two wait for each other"),
    (r"uncontrolled recursion|infinite recursion|unbounded recursion|deep(?:ly)? (?:recurs|nest)|stack exhaustion",
     "CWE-674", "recursion without limit"),
    (r"denial of service|resource exhaustion|uncontrolled resource|"
     r"(?:consumes?|use|uses) excessive (?:amounts of )?(?:cpu|memory|resource|time)|"
     r"excessive (?:cpu|memory|resource) (?:use|usage|consumption)",
     "CWE-400", "input chooses how much is used"),
    (r"reachable assert|assert(?:ion)? fail|failed assert", "CWE-617", "input reaches an assertion"),
    (r"information (?:disclosure|exposure|leak)|sensitive data exposure", "CWE-200", "data shown to those who should not see it"),
    (r"unchecked return|return value (?:of )?(?:is |was )?(?:not checked|ignored|unchecked)", "CWE-252", "a failure that nobody looks at"),
    (r"missing null (?:test|check)", "CWE-476", "a null pointer is used"),
    (r"incomplete (?:[a-z]+ ){0,2}(?:sanitiz|escap)|double escaping", "CWE-116", "output that is not wholly escaped"),
    (r"(?:runs?|running) as root|user (?:should|must) not be root|missing user\b|user for the container|privileged container",
     "CWE-250", "more rights than needed"),
    (r"privilege escalation|improper privilege", "CWE-269", "rights that should not be had"),
)
"""Words of a rule or message -> weakness, with the reason. Version 3, written for this project from CWE 4.16's names."""

CRASHES: tuple[tuple[str, str | None, str, str], ...] = (
    # crash type starts with (OSS-Fuzz's words, lower case), access, CWE, why
    ("heap-buffer-overflow", "WRITE", "CWE-787", "a write outside a heap block"),
    ("heap-buffer-overflow", "READ", "CWE-125", "a read outside a heap block"),
    ("heap-buffer-overflow", None, "CWE-119", "an access outside a heap block"),
    ("stack-buffer-overflow", "WRITE", "CWE-787", "a write outside a stack object"),
    ("stack-buffer-overflow", "READ", "CWE-125", "a read outside a stack object"),
    ("stack-buffer-overflow", None, "CWE-119", "an access outside a stack object"),
    ("stack-buffer-underflow", "WRITE", "CWE-124", "a write before a stack object"),
    ("stack-buffer-underflow", "READ", "CWE-127", "a read before a stack object"),
    ("dynamic-stack-buffer-overflow", "WRITE", "CWE-787", "a write outside a stack object"),
    ("dynamic-stack-buffer-overflow", "READ", "CWE-125", "a read outside a stack object"),
    ("dynamic-stack-buffer-overflow", None, "CWE-119", "an access outside a stack object"),
    ("global-buffer-overflow", "WRITE", "CWE-787", "a write outside a global object"),
    ("global-buffer-overflow", "READ", "CWE-125", "a read outside a global object"),
    ("global-buffer-overflow", None, "CWE-119", "an access outside a global object"),
    ("container-overflow", "WRITE", "CWE-787", "a write outside a container"),
    ("container-overflow", "READ", "CWE-125", "a read outside a container"),
    ("container-overflow", None, "CWE-119", "an access outside a container"),
    ("slab-out-of-bounds", "WRITE", "CWE-787", "a write outside a kernel object"),
    ("slab-out-of-bounds", "READ", "CWE-125", "a read outside a kernel object"),
    ("slab-out-of-bounds", None, "CWE-119", "an access outside a kernel object"),
    ("vmalloc-out-of-bounds", None, "CWE-119", "an access outside a kernel object"),
    ("global-out-of-bounds", None, "CWE-119", "an access outside a kernel object"),
    ("stack-out-of-bounds", None, "CWE-119", "an access outside a kernel object"),
    ("out-of-bounds", None, "CWE-119", "an access outside a kernel object"),
    ("wild-memory-access", None, "CWE-119", "an access through a pointer to no object"),
    ("null-ptr-deref", None, "CWE-476", "an access near address zero"),
    ("array-index-out-of-bounds", None, "CWE-129", "an index outside its array"),
    ("shift-out-of-bounds", None, "CWE-1335", "a shift by more bits than the type has"),
    ("data-race", None, "CWE-362", "unordered access from two threads"),
    ("index-out-of-bounds", None, "CWE-129", "an index outside its array"),
    ("index out of range", None, "CWE-129", "an index that the runtime caught"),
    ("slice bounds out of range", None, "CWE-129", "a slice that the runtime caught"),
    ("use-after-poison", None, "CWE-416", "memory used that its owner had given back"),
    ("heap-use-after-free", None, "CWE-416", "memory used after its release"),
    ("stack-use-after-return", None, "CWE-562", "a stack object used after its function"),
    ("stack-use-after-scope", None, "CWE-562", "a stack object used after its block"),
    ("slab-use-after-free", None, "CWE-416", "kernel memory used after its release"),
    ("uninit-value", None, "CWE-908", "kernel memory read before it was written"),
    ("use-after-free", None, "CWE-416", "memory used after its release"),
    ("heap-double-free", None, "CWE-415", "memory released twice"),
    ("double-free", None, "CWE-415", "memory released twice"),
    ("invalid-free", None, "CWE-590", "a pointer released that was not allocated"),
    ("bad-free", None, "CWE-590", "a pointer released that was not allocated"),
    ("alloc-dealloc-mismatch", None, "CWE-762", "released by another family of functions than it was allocated by"),
    ("use-of-uninitialized-value", None, "CWE-908", "memory read before it was written"),
    ("null-dereference", None, "CWE-476", "an access near address zero"),
    ("potential-null-reference", None, "CWE-476", "a member of, or a reference to, what a null pointer points to"),
    ("invalid-null-argument", None, "CWE-476", "a null pointer given where none may be"),
    ("tag-mismatch", None, "CWE-119", "memory used through a pointer that does not own it"),
    ("float-cast-overflow", None, "CWE-681", "a number outside its new type"),
    ("lock-order-inversion", None, "CWE-833", "two locks taken in either order"),
    ("invalid memory address", None, "CWE-476", "the Go runtime's nil dereference"),
    ("stack-overflow", None, "CWE-674", "the stack is used up"),
    ("out-of-memory", None, "CWE-789", "more memory asked for than allowed"),
    ("timeout", None, "CWE-834", "an input that takes too long"),
    ("direct-leak", None, "CWE-401", "memory that is never released"),
    ("indirect-leak", None, "CWE-401", "memory that is never released"),
    ("memcpy-param-overlap", None, "CWE-475", "overlapping arguments"),
    ("negative-size-param", None, "CWE-131", "a size below zero"),
    ("signed-integer-overflow", None, "CWE-190", "a number that does not fit its type"),
    ("unsigned-integer-overflow", None, "CWE-190", "a number that does not fit its type"),
    ("integer-overflow", None, "CWE-190", "a number that does not fit its type"),
    ("divide-by-zero", None, "CWE-369", "a division by zero"),
    ("floating-point-exception", None, "CWE-369", "an arithmetic trap"),
    ("undefined-shift", None, "CWE-1335", "a shift by more bits than the type has"),
    ("incorrect-function-pointer-type", None, "CWE-843", "a call through a pointer of another type"),
    ("bad-cast", None, "CWE-843", "an object used as another type"),
    ("object-size", None, "CWE-119", "an access outside an object of known size"),
    ("non-positive-vla-bound-value", None, "CWE-131", "an array of no or negative length"),
    ("data race", None, "CWE-362", "unordered access from two threads"),
    ("arbitrary file open", None, "CWE-22", "the fuzzer's marker path was opened"),
    ("arbitrary dns resolution", None, "CWE-918", "the fuzzer's marker name was resolved"),
    ("command injection", None, "CWE-78", "the fuzzer's marker command was run"),
    ("uncaught exception", None, "CWE-248", "an exception that nobody caught"),
    ("assert", None, "CWE-617", "an assertion that input reaches"),
    ("check failure", None, "CWE-617", "an assertion that input reaches"),
    ("dcheck failure", None, "CWE-617", "an assertion that input reaches"),
)
"""Crash type and access -> weakness, with the reason. Types that say nothing of the flaw (`UNKNOWN`, `Abrt`) have no line."""
# fmt: on

_QUOTED = re.compile(r"'[^'\n]{1,200}'|\"[^\"\n]{1,200}\"|`[^`\n]{1,200}`")
_SEPARATORS = re.compile(r"[^a-z0-9+]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_TEXT_LIMIT = 2_000


def needed_words(pattern: str) -> tuple[str, ...]:
    """Return texts of which one stands in whatever the pattern matches: the longest plain run of each alternative.

    Looking for them first is twenty times faster than the regular expressions. An alternative without such a run gives "".
    """
    found, piece, best, depth, at = [], "", "", 0, 0
    while at < len(pattern):
        sign = pattern[at]
        if depth or sign in "([":
            depth += (sign in "([") - (sign in ")]")
        elif sign in "?*{":
            piece, best = "", max(best, piece[:-1], key=len)
            at = pattern.index("}", at) if sign == "{" else at
        elif sign == "|":
            found.append(max(best, piece, key=len))
            piece, best = "", ""
        elif sign in "\\.+":
            piece, best = "", max(best, piece, key=len)
            at += sign == "\\"
        else:
            piece += sign
            at += 1
            continue
        best = max(best, piece, key=len)
        piece = "" if sign not in "?*{|" else piece
        at += 1
    return (*found, max(best, piece, key=len))


_TABLE = tuple((needed_words(pattern), re.compile(rf"\b(?:{pattern})"), cwe, why) for pattern, cwe, why in WORDS)


_FOLLOWS = re.compile(
    r"\b(?:(?:can|could|may|might|will|would|to)[ \t]+(?:potentially[ \t]+)?(?:lead|result|allow|enable|cause|permit|be used|execute|gain)"
    r"|lead(?:s|ing)[ \t]+to|result(?:s|ing)[ \t]+in|allow(?:s|ing)|enabl(?:es|ing)|caus(?:es|ing)|permit(?:s|ting)"
    r"|attackers?[ \t]+(?:can|could|may|might|to))\b(?:(?!\b(?:via|due|because|through|by)\b)[^.;\n]){1,300}"
)
"""What follows from a flaw: "could allow an attacker to execute code", up to the words that name its cause."""


def weakness_from_words(text: str, origin: str) -> Weakness | None:
    """Infer a weakness from a tool's words (`origin` says which: "rule id"); None when no line of the table fits.

    What stands in quotes is the reported code's own words, not the tool's: it is not read. What a text says that follows from the flaw
    is read only where the rest of it names nothing: "a path traversal that could lead to code execution" is a path traversal.
    """
    prose = _CAMEL.sub(" ", _QUOTED.sub(" ", text[:_TEXT_LIMIT])).lower()
    cause = _FOLLOWS.sub(" ", prose)
    found = _told(cause, origin)
    return found if found is not None or len(cause) == len(prose) else _told(prose, origin)


def _told(prose: str, origin: str) -> Weakness | None:
    words = _SEPARATORS.sub(" ", prose).strip()
    for needed, pattern, cwe, why in _TABLE:
        for word in needed:
            if word in words:
                match = pattern.search(words)
                if match is not None:
                    return Weakness(cwe, "inferred", f"{origin} says {match.group()!r}: {why}")
                break
    return None


def weakness_from_crash(crash_type: str | None, access: str | None) -> Weakness | None:
    """Infer a weakness from a crash's type and access; None when the class says nothing of the flaw."""
    for line in (crash_type or "").lower().replace("kernel failure\n", "").splitlines()[:1]:
        for prefix, wanted, cwe, why in CRASHES:
            if line.startswith(prefix) and wanted in (None, access):
                return Weakness(cwe, "inferred", f"crash type {prefix!r}{f' ({access})' if access else ''}: {why}")
    return None
