# SPDX-License-Identifier: Apache-2.0
"""Stacks: one spelling for a name, and whose frames they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearwell.vocabulary.finding import Frame
from clearwell.vocabulary.stack import frames_that_matter, gdb_stack_frame, is_runtime, normalize_function


@pytest.mark.parametrize(
    ("printed", "name"),
    [
        ("void ns::(anonymous namespace)::f<int>(char*) const", "ns::f"),
        ("unsigned int a::readAll<a::T<b> >(x)", "a::readAll"),
        ("blink::`anonymous namespace'::Run<X,`lambda at ../t.cc:2:8'>", "blink::Run"),
        ("ns::f[abi:cxx11](int)", "ns::f"),
        ("Out::operator()(Foo const&)", "Out::operator()"),
        ("std::ostream& std::operator<< <char>(x)", "std::operator<<"),
        ("JSON::operator bool() const", "JSON::operator bool"),
        ("non-virtual thunk to A::b()", "A::b"),
        ("memcpy.part.35", "memcpy"),
        ("jar::fallible::TryVec$LT$T$GT$::reserve::h1159314b25b06f7c", "jar::fallible::TryVec::reserve"),
        ("_$LT$jar..Lid$u20$as$u20$jar..Seal$GT$::close::h37ff3f8c67f3ab87", "jar::Lid::close"),
        ("net/http.(*conn).serve.func1", "net/http.(*conn).serve.func1"),
        ("-[NSJar open:]", "-[NSJar open:]"),
    ],
)
def test_a_function_has_one_spelling(printed: str, name: str) -> None:
    assert normalize_function(printed) == name


@pytest.mark.parametrize(
    "name",
    [
        "__interceptor_memcpy", "__asan_memcpy", "malloc", "__GI___libc_free", "operator new", "strlen",
        "__memmove_avx_unaligned_erms", "abort", "__GI_raise",
        "fuzzer::Fuzzer::Loop", "LLVMFuzzerTestOneInput", "core::panicking::panic", "runtime.gopanic", "kasan_report",
        "logging::LogMessage::~LogMessage",
    ],
)  # fmt: skip
def test_runtimes_and_harnesses_are_known(name: str) -> None:
    assert is_runtime(name)


@pytest.mark.parametrize(
    "name", ["strip_comments", "freeze", "memory_pool_init", "abort_transaction", "panic_button", "runtime.Fuzz", "mainloop", "std::__1::x"]
)
def test_a_projects_own_functions_are_not_taken_for_a_runtime(name: str) -> None:
    assert not is_runtime(name)


def test_a_stack_ends_at_its_entry() -> None:
    frames = tuple(Frame(name) for name in ("__asan_memcpy", "fold", "LLVMFuzzerTestOneInput", "below"))

    assert frames_that_matter(frames) == (Frame("fold"),)


def test_gdb_frames_are_read() -> None:
    assert gdb_stack_frame('#1  0x00007f in ns::f<int> (x=1, s=0x1 ")") at ../a.c:3') == Frame("ns::f<int>", "../a.c", 3)
    assert gdb_stack_frame("#2  qsort () from /lib/libc.so.6") == Frame("qsort", None, None, "libc.so.6")
    assert gdb_stack_frame("#3  0x12 in ?? ()") == Frame()


@given(st.text(alphabet="<>()[]:*& operator,abc~$.", max_size=80))
def test_any_name_is_normalized_to_something(text: str) -> None:
    assert isinstance(normalize_function(text), str)
