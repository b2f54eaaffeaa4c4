# SPDX-License-Identifier: Apache-2.0
"""Distribution: the advisory is written and signed, the feed is kept, each operator is matched as itself."""
