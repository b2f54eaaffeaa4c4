# SPDX-License-Identifier: Apache-2.0
"""Identity: organizations, people, service tokens, sessions, and the two-person act."""
