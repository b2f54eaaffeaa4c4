# SPDX-License-Identifier: Apache-2.0
"""The one seam to isolation: `Sandbox.run(spec) -> result`, on a backend, with what no backend may leave out (PROOF.md, the box)."""

import atexit
import contextlib
from collections.abc import Callable, Iterator
from typing import Self

from clearwell.proving.contract import (
    MANDATORY,
    Backend,
    Entry,
    Escaped,
    Limits,
    Received,
    Result,
    Server,
    Spec,
    Strength,
)
from clearwell.proving.staged import Staged
from clearwell.vocabulary.errors import Invalid, Unavailable

__all__ = [
    "BACKENDS", "DEFAULT", "MANDATORY", "Backend", "Entry", "Escaped", "Limits", "Received", "Result", "Sandbox", "Server", "Spec",
    "Strength", "named_backend", "standing",
]  # fmt: skip

DEFAULT = "bubblewrap"
BACKENDS: dict[str, Callable[[], Backend]] = {
    "bubblewrap": lambda: Staged("bubblewrap"),
    "gvisor": lambda: Staged("gvisor"),
}
"""Name -> how a backend is opened. A further one (a Kubernetes Job) is one file with the contract's `Backend`, and a line here."""


def named_backend(name: str) -> Backend:
    """Open the backend of that name; raise Invalid for a name that is none."""
    if name not in BACKENDS:
        raise Invalid(f"there is no sandbox backend {name!r}; there are {', '.join(BACKENDS)}")
    return BACKENDS[name]()


class Sandbox:
    """Runs specs one at a time on its backend. Use it as a context manager; several threads may share one.

    Raises Unavailable where the box cannot be built or lacks a mandatory limit, and Escaped where a run's word got out of it.
    """

    def __init__(self, backend: Backend | str = DEFAULT, *, use_cgroups: bool = True) -> None:
        if isinstance(backend, str) and not use_cgroups:
            backend = Staged(backend, use_cgroups=False)
        self._backend = named_backend(backend) if isinstance(backend, str) else backend

    @property
    def backend(self) -> str:
        """The backend's name."""
        return self._backend.name

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End what the backend keeps going; a run that is on dies with it."""
        self._backend.close()

    def run(self, spec: Spec) -> Result:
        """Run to the end or to a limit and return what happened. A run without every mandatory limit, or with a way out, is none."""
        result = self._backend.run(spec)
        if result.ways_out:
            ways = ", ".join(result.ways_out)
            raise Escaped(f"the run is void: its canary was heard outside the box ({ways}); nothing may run here until a person has looked")
        if not result.ways_tried:
            raise Unavailable(f"the backend {self.backend} did not try whether its box has a way out, so its runs tell nothing")
        missing = [name for name in MANDATORY if result.isolation.get(name) != "enforced"]
        if missing:
            raise Unavailable(f"the backend {self.backend} does not hold these limits: {', '.join(missing)}")
        return result


_IDLE: dict[str, list[Sandbox]] = {}
"""Backend -> sandboxes that nobody uses now. A worker runs proof after proof; opening a sandbox for each would cost four runs."""


@contextlib.contextmanager
def standing(backend: str) -> Iterator[Sandbox]:
    """Lend a sandbox that stands since an earlier proof, or open one. It is one caller's alone; it ends with this process.

    Nothing of a run stays in it: each has a fork and namespaces of its own. One whose use went wrong is closed.
    """
    idle = _IDLE.setdefault(backend, [])
    try:
        sandbox = idle.pop()
    except IndexError:
        sandbox = Sandbox(backend)
    try:
        yield sandbox
    except BaseException:
        sandbox.close()
        raise
    idle.append(sandbox)


@atexit.register
def _end_idle() -> None:
    for idle in _IDLE.values():
        while idle:
            idle.pop().close()
