# SPDX-License-Identifier: Apache-2.0
"""The exercise on a terminal: what happens now and for how long, the summary, and the sign-in links."""

import time
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from clearwell.faces.cli.demo.outcome import Outcome
from clearwell.faces.cli.demo.personas import Persona
from clearwell.faces.cli.demo.surroundings import Mail
from clearwell.vocabulary.outside import for_terminal

_SHOWN = 40


class Progress:
    """One line for each step: a spinner while it lasts, its seconds afterwards."""

    def __init__(self, console: Console) -> None:
        self._console, self._status = console, console.status("")
        self._step, self._began, self._first = "", 0.0, time.monotonic()

    def __call__(self, step: str) -> None:
        """End the step before, begin this one."""
        self.end()
        self._step, self._began = step, time.monotonic()
        self._status.update(step)
        self._status.start()

    def end(self) -> None:
        """End the last step."""
        self._status.stop()
        if self._step:
            self._console.print(f"  {time.monotonic() - self._began:5.1f} s  {self._step}", highlight=False)
        self._step = ""

    @property
    def seconds(self) -> float:
        """Since the display began."""
        return time.monotonic() - self._first


def show_summary(console: Console, outcome: Outcome, seconds: float) -> None:
    """The cases, the operators, and whether all of it equals what must come out."""
    cases = _table("case", "component", "standing", "reports", "labs", "fixed in", "told")
    for case in outcome.cases:
        row = (case.name, case.component.removeprefix("pkg:"), case.standing, str(case.findings), str(case.labs), case.fixed_in)
        cases.add_row(*row, str(case.told or ""))
    console.print(cases)
    operators = _table("operator", "told", "received", "planned", "installed")
    for name, receipts in outcome.actions.items():
        operators.add_row(for_terminal(name), *(str(receipts.get(step, "")) for step in ("told", "received", "planned", "installed")))
    console.print(operators)
    answers = ", ".join(f"{count} {answer}" for answer, count in sorted(outcome.answers.items()))
    console.print(
        f"{sum(outcome.answers.values())} findings: {answers}. The ledger's {outcome.ledger_size} entries were fetched and verified."
    )
    console.print(f"The exercise took {seconds:.0f} s.", highlight=False)
    if not outcome.differences:
        console.print(f"All {outcome.compared} things compared are as expected.toml says.", style="green")
        return
    console.print(f"{len(outcome.differences)} of {outcome.compared} things compared differ from expected.toml:", style="bold red")
    for difference in outcome.differences[:_SHOWN]:
        console.print(f"  {for_terminal(difference, 500)}", markup=False, highlight=False)
    if len(outcome.differences) > _SHOWN:
        console.print(f"  and {len(outcome.differences) - _SHOWN} more")


def show_links(
    console: Console, address: str, links: dict[str, tuple[Persona, str]], invitations: list[tuple[str, Mail]], outbox: Path
) -> None:
    """A one-time sign-in link for each persona, and the maintainers' own links as they were mailed."""
    console.print(f"The hub serves on {address}. Each of these links opens one browser session, once:\n", highlight=False)
    for persona, secret in links.values():
        _show_link(console, persona.name, f"{address}/demo/sign-in/{secret}")
    console.print(f"\nMaintainers need no account. Their links were mailed, and so are the codes that their answers need ({outbox}):\n")
    for name, mail in invitations:
        _show_link(console, f"{name}: {mail.subject}", f"{address}/maintainer/{mail.link}")
    console.print("\nCtrl-C stops it. Its data stays in the data folder; playing the exercise again does nothing twice.")


def _show_link(console: Console, name: str, link: str) -> None:
    console.print(f"  {for_terminal(name)}\n    {link}", soft_wrap=True, markup=False, highlight=False)


def _table(*columns: str) -> Table:
    return Table(*columns, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
