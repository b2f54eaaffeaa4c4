# SPDX-License-Identifier: Apache-2.0
"""`clearwell token`: gives a person a service token, on the hub's own machine."""

import click
import msgspec

from clearwell.app import open_house, settings_now
from clearwell.clearinghouse.flow.admitting import issue_service_token
from clearwell.ground.identity.actor import Permission
from clearwell.vocabulary.ids import PersonId, parse_id


@click.group()
def token() -> None:
    """Issue service tokens on the hub's own machine."""


@token.command()
@click.argument("person_id", metavar="PERSON")
@click.option("--label", required=True, help="What the token is for.")
@click.option(
    "--permission", "permissions", multiple=True, required=True, type=click.Choice([p.value for p in Permission]),
    help="What it may be used for; may be repeated.",
)  # fmt: skip
@click.option("--days", default=90, show_default=True, type=click.IntRange(1, 366), help="How long it is in force.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object: id and token.")
def issue(person_id: str, label: str, permissions: tuple[str, ...], days: int, as_json: bool) -> None:
    """Print a new token for PERSON, once: only its hash is stored."""
    settings, _ = settings_now()
    with open_house(settings) as house:
        made = issue_service_token(house, PersonId(parse_id("person", person_id)), label, map(Permission, permissions), days)
    click.echo(msgspec.json.encode({"id": made.id, "token": made.secret}).decode() if as_json else made.secret)
