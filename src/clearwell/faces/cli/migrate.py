# SPDX-License-Identifier: Apache-2.0
"""`clearwell migrate`: brings the database to this release; or prints what an administrator of one's own server runs once."""

import click

from clearwell.app import bring_forward, database_server, settings_now
from clearwell.ground.storage.embedded import APPLICATION, DATABASE_GRANTS, OWNER, ROLES
from clearwell.vocabulary.errors import Unavailable


@click.command()
@click.option("--print-roles", is_flag=True, help="Print the SQL that an administrator runs once on a server of one's own.")
def migrate(print_roles: bool) -> None:
    """Apply the migrations that this release brings. Running it again changes nothing."""
    if print_roles:
        click.echo(roles_sql(), nl=False)
        return
    settings, _ = settings_now()
    with database_server(settings) as (_, owner_url):
        if owner_url is None:
            raise Unavailable(
                "set CLEARWELL_MIGRATE_URL to the owner's address of the database; `--print-roles` shows how to make the owner"
            )
        applied = bring_forward(owner_url)
    click.echo("\n".join(f"applied {name}" for name in applied) if applied else "nothing to apply: the database is at this release")


def roles_sql() -> str:
    """Roles, database and grants for psql, run as the server's administrator."""
    statements = "\n".join(f"{statement};" for statement in ROLES)
    grants = "\n".join(f"{statement};" for statement in DATABASE_GRANTS)
    return (
        "-- Run with psql as the server's administrator. Then give the roles passwords (\\password) or another way to log in,\n"
        f"-- and set CLEARWELL_DATABASE_URL (as {APPLICATION}) and, for `clearwell migrate` alone, CLEARWELL_MIGRATE_URL (as {OWNER}).\n"
        f"{statements}\n"
        f"SELECT 'CREATE DATABASE clearwell OWNER {OWNER} ENCODING ''UTF8'' TEMPLATE template0'\n"
        "    WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'clearwell') \\gexec\n"
        "\\connect clearwell\n"
        f"{grants}\n"
    )
