# SPDX-License-Identifier: Apache-2.0
"""The ground floor: what every wing stands on."""
