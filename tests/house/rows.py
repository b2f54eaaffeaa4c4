# SPDX-License-Identifier: Apache-2.0
"""Every row of a hub, for tests that compare what was with what is."""

from collections import Counter

import psycopg

from hub import Hub


def database_of(hub: Hub) -> str:
    """The name of the hub's database."""
    return str(psycopg.conninfo.conninfo_to_dict(hub.house.database.url)["dbname"])


def rows(owner_url: str) -> dict[str, Counter[str]]:
    """Every row of every table of ours (not the job queue's), as text, as the owner sees it."""
    with psycopg.connect(owner_url) as connection:
        tables = [row[0] for row in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'clearwell'").fetchall()]
        return {
            table: Counter(row[0] for row in connection.execute(f"SELECT x::text FROM clearwell.{table} x".encode())) for table in tables
        }
