# SPDX-License-Identifier: Apache-2.0
"""The ledger: an append-only Merkle log in C2SP's tlog-tiles format that an outsider verifies with tools we did not write."""
