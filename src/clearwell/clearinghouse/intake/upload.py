# SPDX-License-Identifier: Apache-2.0
"""An upload: a report on its way in pieces. What was received stays when the connection is cut; the sender goes on from there."""

from datetime import datetime

import msgspec

from clearwell.vocabulary.errors import Conflict
from clearwell.vocabulary.ids import OrganizationId, SubmissionId, UploadId

PIECE = 8 * 1024 * 1024
"""Bytes in one piece at most: what a cut connection costs."""


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """A report of `size` bytes of which the first `received` are sealed. `submission` is what it became."""

    id: UploadId
    organization: OrganizationId
    key: bytes
    size: int
    started_at: datetime
    received: int = 0
    submission: SubmissionId | None = None

    def require_next(self, offset: int) -> None:
        """Raise Conflict unless the next piece begins at `offset`."""
        if self.submission is not None:
            raise Conflict(f"this upload is whole already: it became {self.submission}")
        if offset != self.received:
            raise Conflict(f"the next piece begins at {self.received}, not at {offset}: go on from there")

    def require_whole(self) -> None:
        """Raise Conflict unless every byte is there."""
        if self.received != self.size:
            raise Conflict(f"{self.received:,} of {self.size:,} bytes are here: send the rest first")
