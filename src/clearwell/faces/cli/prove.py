# SPDX-License-Identifier: Apache-2.0
"""`clearwell prove DIR`: run a proof in isolation and print the verdict (PROOF.md's keys and exit codes)."""

import sys
from pathlib import Path
from typing import NoReturn

import click
import msgspec

from clearwell.proving.environments import Control
from clearwell.proving.folder import Side, read_proof
from clearwell.proving.patches import PATCH_MAX
from clearwell.proving.reproduction import Settings, default_harnesses, verify_fix
from clearwell.proving.reproduction import prove as run_proof
from clearwell.proving.verdict import Verdict
from clearwell.vocabulary.outside import for_terminal


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--harnesses",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of the hub's harnesses. [default: CLEARWELL_HARNESSES, ../../harnesses beside the proof, examples/harnesses]",
)
@click.option("--runs", type=click.IntRange(1, 50), default=3, show_default=True, help="How often the proof runs on each side (n).")
@click.option("--offline", is_flag=True, help="Use only archives that are in the cache.")
@click.option("--no-ladder", is_flag=True, help="Do not run the versions of the proof's ladder.")
@click.option(
    "--patch", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Try to refute this patch to the target's source."
)
@click.option("--fixed", metavar="PURL", help="Try to refute this version as a fix, such as pkg:pypi/ujson@5.2.0.")
@click.option(
    "--also",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    multiple=True,
    help="Another proof of the same flaw, which the fix must stop too.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def prove(
    folder: Path,
    harnesses: Path | None,
    runs: int,
    offline: bool,
    no_ladder: bool,
    patch: Path | None,
    fixed: str | None,
    also: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Run the proof in FOLDER in isolation and print the verdict; with --patch or --fixed, try to refute a fix.

    Exit codes: 0 reproduced, 10 not_reproduced, 11 different, 12 flaky, 13 inconclusive, 14 harness_error, 15 unavailable,
    16 fix_not_verified, 2 bad usage or folder. Of a fix: 0 not_refuted, 16 refuted, 17 flagged, 13 inconclusive, 15 unavailable.
    """
    settings = Settings(runs=runs, offline=offline, with_ladder=not no_ladder)
    harnesses = harnesses or default_harnesses(folder)
    if patch is not None or fixed is not None:
        _prove_fix(folder, harnesses, settings, _fix(patch, fixed), also, as_json)
    if also:
        raise click.UsageError("--also goes with --patch or --fixed")
    verdict = run_proof(folder, harnesses, settings)
    if as_json:
        click.echo(msgspec.json.encode(verdict))
    else:
        _print(verdict)
    sys.exit(verdict.exit_code)


def _fix(patch: Path | None, fixed: str | None) -> Control:
    if patch is not None and fixed is not None:
        raise click.UsageError("give --patch or --fixed, not both")
    if patch is not None:
        if patch.stat().st_size > PATCH_MAX:
            raise click.UsageError(f"the patch is larger than {PATCH_MAX >> 20} MB")
        return patch.read_bytes()
    return Side(purl=fixed)


def _prove_fix(folder: Path, harnesses: Path | None, settings: Settings, fix: Control, also: tuple[Path, ...], as_json: bool) -> NoReturn:
    others = [(place.name, read_proof(place, harnesses)) for place in also]
    judged = verify_fix(read_proof(folder, harnesses), fix, settings, others=others)
    if as_json:
        click.echo(msgspec.json.encode(judged))
    else:
        click.echo(f"{judged.label.value.replace('_', ' ')}: {for_terminal(judged.reason, 2000)}")
        for rung in judged.rungs:
            click.echo(f"  {rung.name}: {rung.state.replace('_', ' ')}{f' ({for_terminal(rung.said, 600)})' if rung.said else ''}")
        for other in judged.others:
            click.echo(f"  with {for_terminal(other.proof)}: {other.outcome}")
    sys.exit(judged.exit_code)


def _print(verdict: Verdict) -> None:
    click.echo(f"{verdict.verdict}: {for_terminal(verdict.reason, 2000)}")
    for name, runs in (("target", verdict.target), ("control", verdict.control)):
        if isinstance(runs, str):
            click.echo(f"  {name}: {runs}")
            continue
        click.echo(f"  {name}: {for_terminal(runs.purl or '')} fired {runs.fired} of {runs.n}{f' ({runs.kind})' if runs.kind else ''}")
        if runs.signature:
            click.echo(f"    {for_terminal(runs.signature)}")
    for variant in verdict.variants:
        click.echo(f"  variant {variant.index}: target {_said(variant.target_fired)}, control {_said(variant.control_fired)}")
    for rung in verdict.ladder:
        click.echo(f"  version {for_terminal(rung.version)}: stated {rung.stated}, seen {_said(rung.fired)}")
    for text in verdict.preconditions:
        click.echo(f"  only if {for_terminal(text)}")
    click.echo(f"  assurance: {verdict.assurance}; {verdict.seconds:.1f} s")
    weak = [f"{name} {strength}" for name, strength in verdict.isolation.items() if strength != "enforced"]
    click.echo(f"  isolation: {', '.join(weak) if weak else 'every limit enforced'}")


def _said(fired: bool | None) -> str:
    return {True: "fires", False: "clean", None: "unknown"}[fired]
