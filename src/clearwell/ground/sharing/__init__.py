# SPDX-License-Identifier: Apache-2.0
"""Sharing: TLP 2.0 markings and need-to-know. The rows themselves are guarded by row-level security (storage/migrations)."""
