# SPDX-License-Identifier: Apache-2.0
"""A server of the harness was asked for a path: the target was made to send a request."""

from clearwell.proving.oracles.contract import Asked
from clearwell.proving.running import Observation


def signature(asked: Asked, seen: Observation) -> str | None:
    """Describe the request; a query counts only where the proof names one."""
    port, _, path = str(asked.oracle.to).partition("/")
    wanted = "/" + path
    for request in seen.result.requests:
        path_asked = request.path if "?" in wanted else request.path.partition("?")[0]
        if request.port == int(port) and path_asked == wanted:
            return f"request: the server on port {port} was asked for {wanted}"
    return None
