# SPDX-License-Identifier: Apache-2.0
"""The words every room shares: frozen values without input or output."""
