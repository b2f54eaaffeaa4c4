# SPDX-License-Identifier: Apache-2.0
"""Validation: what a report cites is compared with the real source, then its proof is run in isolation."""
