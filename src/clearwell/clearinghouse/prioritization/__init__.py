# SPDX-License-Identifier: Apache-2.0
"""Prioritization: BOD 26-04 and SSVC as dated tables, and one sortable number with its reasons."""
