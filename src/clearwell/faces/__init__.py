# SPDX-License-Identifier: Apache-2.0
"""The faces: API, web and command line. Each parses, calls one verb and renders."""
