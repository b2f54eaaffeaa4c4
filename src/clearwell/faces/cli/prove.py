# SPDX-License-Identifier: Apache-2.0
"""`clearwell prove DIR`: run a proof in isolation, print the verdict (PROOF.md's); `prove minimize`, `verify`, `rerun`."""

import os
import secrets
import sys
from pathlib import Path
from typing import NoReturn

import click
import msgspec
from securesystemslib.signer._crypto_signer import CryptoSigner

from clearwell.proving.archives import Registry
from clearwell.proving.environments import Control
from clearwell.proving.folder import Side, read_proof
from clearwell.proving.minimize import minimize, replaced
from clearwell.proving.order import Seen
from clearwell.proving.patches import PATCH_MAX
from clearwell.proving.reproduction import Settings, default_harnesses, judge_fix, reproduce
from clearwell.proving.rerunning import run_again, said
from clearwell.proving.sandbox import BACKENDS, DEFAULT, Sandbox
from clearwell.proving.statement import read_key, read_signer, sign, state, write_key
from clearwell.proving.statement import verify as verified
from clearwell.proving.sweep import Sweep, sweep
from clearwell.proving.verdict import Verdict
from clearwell.proving.writing import write_proof
from clearwell.vocabulary.errors import Conflict, Invalid
from clearwell.vocabulary.outside import for_terminal


class ProveGroup(click.Group):
    """`prove DIR` runs a proof; a first word that is a verb (`minimize`, `verify`, `rerun`) does that instead."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["run", *args]
        return super().parse_args(ctx, args)


@click.group(cls=ProveGroup)
def prove() -> None:
    """Run the proof in a folder: `clearwell prove DIR` is `clearwell prove run DIR`."""


@prove.command("run")
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
@click.option("--sweep", "with_sweep", is_flag=True, help="Find the first and last release on which the proof fires, and print that range.")
@click.option("--backend", type=click.Choice(sorted(BACKENDS)), default=DEFAULT, show_default=True, help="The sandbox.")
@click.option("--statement", type=click.Path(path_type=Path, dir_okay=False), help="Write the verdict as a signed statement.")
@click.option("--key", type=click.Path(path_type=Path, dir_okay=False), help="The private key that signs; made, with KEY.pub, if missing.")
@click.option("--evidence", type=click.Path(path_type=Path), help="Write what the first run of each side printed into this new folder.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def run(
    folder: Path,
    harnesses: Path | None,
    runs: int,
    offline: bool,
    no_ladder: bool,
    with_sweep: bool,
    backend: str,
    statement: Path | None,
    key: Path | None,
    patch: Path | None,
    fixed: str | None,
    also: tuple[Path, ...],
    evidence: Path | None,
    as_json: bool,
) -> None:
    """Run the proof in FOLDER in isolation and print the verdict; with --patch or --fixed, try to refute a fix.

    Exit codes: 0 reproduced, 10 not_reproduced, 11 different, 12 flaky, 13 inconclusive, 14 harness_error, 15 unavailable,
    16 fix_not_verified, 2 bad usage or folder. Of a fix: 0 not_refuted, 16 refuted, 17 flagged, 13 inconclusive, 15 unavailable.
    """
    if (statement is None) != (key is None):
        raise Invalid("--statement and --key go together: a statement without a signature states nothing")
    if evidence is not None and (evidence.exists() or with_sweep or patch is not None or fixed is not None):
        raise Invalid("--evidence names a folder that does not exist yet, and goes with one verdict: not with --sweep, --patch or --fixed")
    settings = Settings(runs=runs, offline=offline, with_ladder=not no_ladder, backend=backend)
    if patch is not None or fixed is not None:
        tried = _try_fix(folder, harnesses or default_harnesses(folder), settings, _fix(patch, fixed), also)
        if statement is not None and key is not None:
            statement.write_bytes(sign(state(tried.done, settings, _fix(patch, fixed), judged=tried.judged), _signer(key)))
        _print_fix(tried, as_json)
    if also:
        raise click.UsageError("--also goes with --patch or --fixed")
    if with_sweep:
        _print_sweep(_swept(folder, harnesses or default_harnesses(folder), settings), as_json=as_json)
        return
    done = reproduce(folder, harnesses or default_harnesses(folder), settings)
    verdict = done.verdict
    if evidence is not None:
        _write_exhibits(done.exhibits, evidence)
    if statement is not None and key is not None:
        statement.write_bytes(sign(state(done, settings), _signer(key)))
    if as_json:
        click.echo(msgspec.json.encode(verdict))
    else:
        _print(verdict)
    sys.exit(verdict.exit_code)


def _write_exhibits(exhibits: dict[str, bytes], into: Path) -> None:
    """Write the bytes whose hashes the verdict's evidence names; the names are ours, the contents a stranger's."""
    into.mkdir(parents=True)
    for name, content in exhibits.items():
        (into / f"{name.replace(' ', '-')}.txt").write_bytes(content)


def _fix(patch: Path | None, fixed: str | None) -> Control:
    if patch is not None and fixed is not None:
        raise click.UsageError("give --patch or --fixed, not both")
    if patch is not None:
        if patch.stat().st_size > PATCH_MAX:
            raise click.UsageError(f"the patch is larger than {PATCH_MAX >> 20} MB")
        return patch.read_bytes()
    return Side(purl=fixed)


def _try_fix(folder: Path, harnesses: Path | None, settings: Settings, fix: Control, also: tuple[Path, ...]) -> Seen:
    others = [(place.name, read_proof(place, harnesses)) for place in also]
    judged, done = judge_fix(read_proof(folder, harnesses), fix, settings, others=others)
    return Seen(done, judged=judged)


def _print_fix(tried: Seen, as_json: bool) -> NoReturn:
    judged = tried.judged
    assert judged is not None
    if as_json:
        click.echo(msgspec.json.encode(judged))
    else:
        click.echo(f"{judged.label.value.replace('_', ' ')}: {for_terminal(judged.reason, 2000)}")
        for rung in judged.rungs:
            click.echo(f"  {rung.name}: {rung.state.replace('_', ' ')}{f' ({for_terminal(rung.said, 600)})' if rung.said else ''}")
        for other in judged.others:
            click.echo(f"  with {for_terminal(other.proof)}: {other.outcome}")
    sys.exit(judged.exit_code)


@prove.command("minimize")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The new proof's folder; it must not exist.")
@click.option("--harnesses", type=click.Path(path_type=Path, exists=True, file_okay=False), help="Folder of the hub's harnesses.")
@click.option("--max-runs", type=click.IntRange(1, 5000), default=300, show_default=True, help="At most so many tries.")
@click.option("--offline", is_flag=True, help="Use only archives that are in the cache.")
@click.option("--backend", type=click.Choice(sorted(BACKENDS)), default=DEFAULT, show_default=True, help="The sandbox.")
def minimize_proof(folder: Path, out: Path, harnesses: Path | None, max_runs: int, offline: bool, backend: str) -> None:
    """Shrink the input of the proof in FOLDER while its verdict holds, and write the smaller proof as a new folder.

    Exit codes: 0 written, 2 bad usage or folder, 6 not reproduced, or the new folder exists.
    """
    if out.exists():
        raise Conflict(f"{str(out)!r} exists already; name a folder that does not")
    proof = read_proof(folder, harnesses or default_harnesses(folder))
    found = minimize(proof, Settings(offline=offline, backend=backend), runs=max_runs)
    write_proof(replaced(proof, found.input), out)
    click.echo(f"{found.before} bytes became {found.after} in {found.runs} runs: {out}")


@prove.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--key", required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False), help="The public key that must have signed."
)
@click.option("--json", "as_json", is_flag=True, help="Print the whole statement.")
def verify(file: Path, key: Path, as_json: bool) -> None:
    """Check a statement offline: its signature, and that it is one of a verdict. Exit codes: 0 it is, 2 no statement, 6 not signed so."""
    checked = verified(file.read_bytes(), read_key(key.read_bytes()))
    if as_json:
        click.echo(msgspec.json.encode(checked))
        return
    click.echo("the signature holds")
    for subject in checked.subject:
        click.echo(f"  {for_terminal(subject.name)}  sha256 {for_terminal(subject.digest.get('sha256', '?'))}")
    predicate = checked.predicate
    if predicate.judged is not None:
        click.echo(f"of the fix: {said(predicate).replace('_', ' ')}: {for_terminal(predicate.judged.reason, 2000)}")
    if predicate.kill is not None:
        click.echo(f"of the fix on this proof: {said(predicate)}: {for_terminal(predicate.kill.reason, 2000)}")
    _print(predicate.verdict)


@prove.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--key", required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False), help="The public key that must have signed."
)
@click.option("--proofs", required=True, type=click.Path(path_type=Path, exists=True, file_okay=False), help="Where the proof's folder is.")
@click.option("--harnesses", type=click.Path(path_type=Path, exists=True, file_okay=False), help="Folder of the hub's harnesses.")
@click.option("--patch", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="The patch that took the control's place.")
@click.option(
    "--also",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    multiple=True,
    help="Another proof on which the fix was tried.",
)
@click.option("--backend", type=click.Choice(sorted(BACKENDS)), help="The sandbox. [default: the statement's]")
def rerun(
    file: Path, key: Path, proofs: Path, harnesses: Path | None, patch: Path | None, also: tuple[Path, ...], backend: str | None
) -> None:
    """Run what a statement states again, from the folders with its hashes, and compare. Exit codes: 0 the same verdict, 6 another."""
    checked = verified(file.read_bytes(), read_key(key.read_bytes()))
    place = harnesses or default_harnesses(proofs / "proof")
    others = [(one.name, read_proof(one, place)) for one in also]
    seen = run_again(checked, proofs, place, backend, patch=patch.read_bytes() if patch is not None else None, others=others)
    before, now = said(checked.predicate), said(seen)
    if before != now:
        raise Conflict(f"the statement says {before}, running it again says {now}: {seen.done.verdict.reason}")
    click.echo(f"the same verdict: {now}")


def _signer(path: Path) -> CryptoSigner:
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(32))
    signer = read_signer(path)
    path.with_name(f"{path.name}.pub").write_bytes(write_key(signer))
    return signer


def _swept(folder: Path, harnesses: Path | None, settings: Settings) -> Sweep:
    proof = read_proof(folder, harnesses)
    registry = Registry(offline=settings.offline)
    try:
        with Sandbox(settings.backend) as sandbox:
            return sweep(proof, settings, sandbox=sandbox, registry=registry)
    finally:
        registry.close()


def _print_sweep(swept: Sweep, *, as_json: bool) -> None:
    if as_json:
        click.echo(msgspec.json.encode(swept))
        return
    click.echo(f"{for_terminal(swept.package)}: fires from {for_terminal(swept.first)} to {for_terminal(swept.last)}")
    for one in swept.events:
        click.echo("  " + ", ".join(f"{name} {for_terminal(version)}" for name, version in one.items()))
    for note in swept.notes:
        click.echo(f"  {for_terminal(note)}")
    click.echo(f"  {len(swept.tried)} of {swept.releases} releases were run:")
    for tried in swept.tried:
        click.echo(
            f"    {for_terminal(tried.version)} {_said(tried.fired)}" + (f": {for_terminal(tried.reason)}" if tried.fired is None else "")
        )


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
