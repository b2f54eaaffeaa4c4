# SPDX-License-Identifier: Apache-2.0
"""Jobs: a PostgreSQL queue (Procrastinate); a job is deferred in the very transaction that makes it necessary."""
