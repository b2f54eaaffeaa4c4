# SPDX-License-Identifier: Apache-2.0
"""Intake: a document becomes findings with answers, in batches that commit whole."""
