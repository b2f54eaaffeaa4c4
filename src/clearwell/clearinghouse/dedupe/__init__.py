# SPDX-License-Identifier: Apache-2.0
"""Dedupe: which findings are one bug. Signatures say what two findings must share; clusters are what they make of a pile."""
