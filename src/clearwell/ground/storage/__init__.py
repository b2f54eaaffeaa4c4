# SPDX-License-Identifier: Apache-2.0
"""Storage: PostgreSQL (embedded or your own), transactions opened as somebody, migrations, blobs, backup."""
