# SPDX-License-Identifier: Apache-2.0
"""Who runs what: components, their versions in order, and which advisories they match."""
