# SPDX-License-Identifier: Apache-2.0
"""Clearwell: the open AI cybersecurity clearinghouse, from a finding to the installed fix."""

__version__ = "0.1.0"
