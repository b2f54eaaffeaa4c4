# SPDX-License-Identifier: Apache-2.0
"""The one error tree. Faces map the six kinds to exit codes and HTTP statuses in one table.

ClearwellError
├── Invalid        what was sent cannot be understood        HTTP 400   exit 2
├── NotFound       no such thing, or none that you may see   HTTP 404   exit 4
├── Refused        the policy or a rule forbids it           HTTP 403   exit 5
├── Conflict       it contradicts what already is            HTTP 409   exit 6
├── TooLate        a date has passed                         HTTP 410   exit 7
└── Unavailable    something this needs is not there now     HTTP 503   exit 15
"""


class ClearwellError(Exception):
    """Root of the tree. The message tells a person what happened and what to do."""


class Invalid(ClearwellError):
    """The input is malformed, too large or contradictory; sending it again unchanged will not help."""


class NotFound(ClearwellError):
    """There is no such thing, or none that the caller may see: the two are deliberately told alike."""


class Refused(ClearwellError):
    """The policy or a named rule forbids the act."""


class Conflict(ClearwellError):
    """The act contradicts the present state; look again, then decide."""


class TooLate(ClearwellError):
    """A date after which this act is not possible has passed."""


class Unavailable(ClearwellError):
    """Something that the act needs (sandbox, database, registry) is not there now; it may be later."""
