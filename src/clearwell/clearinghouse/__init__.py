# SPDX-License-Identifier: Apache-2.0
"""The clearinghouse: from a lab's report to an operator's installed fix (the Order, section 2)."""
