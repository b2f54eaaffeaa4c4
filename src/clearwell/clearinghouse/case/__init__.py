# SPDX-License-Identifier: Apache-2.0
"""The case: one root cause, its participants, its embargo and its end date, in CERT/CC's words and states."""
