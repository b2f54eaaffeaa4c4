# SPDX-License-Identifier: Apache-2.0
"""Remediation: a claimed fix is compared with the flawed source, and verified by the proof that showed the flaw."""
