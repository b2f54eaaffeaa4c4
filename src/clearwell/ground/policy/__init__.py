# SPDX-License-Identifier: Apache-2.0
"""Policy: who may do what, as Cedar policies in files that an auditor can read. Default deny."""
