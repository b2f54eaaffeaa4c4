# SPDX-License-Identifier: Apache-2.0
"""`clearwell organization`: adds organizations and people, on the hub's own machine."""

import click
import msgspec

from clearwell.app import open_house, settings_now
from clearwell.clearinghouse.flow.admitting import OrganizationFacts, OwnQuota, admit_organization, admit_person, set_quota
from clearwell.ground.identity.actor import OrganizationKind
from clearwell.ground.identity.members import SIZES, SYSTEM_CLASSES
from clearwell.vocabulary.ids import OrganizationId, parse_id


@click.group()
def organization() -> None:
    """Administer organizations and people on the hub's own machine."""


@organization.command()
@click.argument("name")
@click.option("--kind", required=True, type=click.Choice([kind.value for kind in OrganizationKind]), help="What it is to the hub.")
@click.option("--sector", help="An operator's sector, for example health, water, finance.")
@click.option("--size", type=click.Choice(SIZES), help="An operator's size.")
@click.option("--system-class", type=click.Choice(SYSTEM_CLASSES), help="What an operator's systems are under BOD 26-04.")
@click.option("--time-zone", default="UTC", show_default=True, help="Where its due dates are computed, for example America/Chicago.")
@click.option("--person", "people", multiple=True, metavar="NAME", help="Somebody who works there; may be repeated.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object: organization and people.")
def add(
    name: str,
    kind: str,
    sector: str | None,
    size: str | None,
    system_class: str | None,
    time_zone: str,
    people: tuple[str, ...],
    as_json: bool,
) -> None:
    """Add the organization NAME, and its first people."""
    settings, _ = settings_now()
    facts = OrganizationFacts(
        name=name, kind=OrganizationKind(kind), sector=sector, size=size, system_class=system_class, time_zone=time_zone
    )
    with open_house(settings) as house:
        made = admit_organization(house, facts)
        persons = {person: admit_person(house, made.id, person) for person in people}
    if as_json:
        click.echo(msgspec.json.encode({"organization": made.id, "people": persons}).decode())
        return
    click.echo(made.id)
    for person in persons.values():
        click.echo(person)


@organization.command("add-person")
@click.argument("organization_id", metavar="ORGANIZATION")
@click.argument("name")
@click.option("--email", help="Where mail for them goes.")
def add_person(organization_id: str, name: str, email: str | None) -> None:
    """Add a person to an organization."""
    settings, _ = settings_now()
    with open_house(settings) as house:
        click.echo(admit_person(house, OrganizationId(parse_id("org", organization_id)), name, email))


@organization.command()
@click.argument("organization_id", metavar="ORGANIZATION")
@click.option("--findings-per-day", type=click.IntRange(0, 2**31 - 1), help="Findings in one day (UTC).")
@click.option("--bytes-per-day", type=click.IntRange(0, 2**60), help="Bytes of reports in one day.")
@click.option("--in-flight", type=click.IntRange(0, 2**31 - 1), help="Reports and uploads under way at the same time.")
@click.option("--proofs-per-day", type=click.IntRange(0, 2**31 - 1), help="Proofs in one day.")
def quota(
    organization_id: str, findings_per_day: int | None, bytes_per_day: int | None, in_flight: int | None, proofs_per_day: int | None
) -> None:
    """Set an organization's own quota, as a whole: what is left out is the hub's setting again."""
    own = OwnQuota(
        findings_per_day=findings_per_day, bytes_per_day=bytes_per_day, submissions_in_flight=in_flight, proofs_per_day=proofs_per_day
    )
    settings, _ = settings_now()
    with open_house(settings) as house:
        set_quota(house, OrganizationId(parse_id("org", organization_id)), own)
