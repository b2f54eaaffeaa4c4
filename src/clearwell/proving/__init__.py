# SPDX-License-Identifier: Apache-2.0
"""Running proofs in isolation: archives, folders, sandbox, environments, oracles, reproduction. No database, no server."""
