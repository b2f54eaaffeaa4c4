# SPDX-License-Identifier: Apache-2.0
"""An upload: a report on its way in pieces. What was received stays when the connection is cut; the sender goes on from there."""

from datetime import datetime, timedelta

import msgspec

from clearwell.vocabulary.errors import Conflict, Invalid, Unavailable
from clearwell.vocabulary.ids import OrganizationId, SubmissionId, UploadId

PIECE = 8 * 1024 * 1024
"""Bytes in one piece at most: what a cut connection costs."""
LEAST = 64 * 1024
"""Bytes in one piece at least, but for the last: each is a sealed file and a row of its own, so their number is bounded."""
JOINING = timedelta(minutes=5)
"""How long one act may take to make an upload whole; after it (a crash) the next may try."""


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """A report of `size` bytes of which the first `received` are sealed. `submission` is what it became.

    Until `joining_until` somebody makes it whole.
    """

    id: UploadId
    organization: OrganizationId
    key: bytes
    size: int
    started_at: datetime
    received: int = 0
    submission: SubmissionId | None = None
    joining_until: datetime | None = None

    def require_next(self, offset: int) -> None:
        """Raise Conflict unless the next piece begins at `offset`."""
        if self.submission is not None:
            raise Conflict(f"this upload is whole already: it became {self.submission}")
        if offset != self.received:
            raise Conflict(f"the next piece begins at {self.received}, not at {offset}: go on from there")

    def require_piece(self, size: int) -> None:
        """Raise Invalid unless so many bytes are a piece: at least LEAST, or all that is left."""
        if size == 0:
            raise Invalid("the piece is empty")
        if size < LEAST and self.received + size != self.size:
            left = self.size - self.received
            raise Invalid(f"this piece has {size:,} bytes; send at least {min(LEAST, left):,} at once (only the last piece may be smaller)")

    def join(self, now: datetime) -> datetime:
        """Return until when whoever asks may make it whole, alone. Raises Conflict where bytes lack, Unavailable while another does it."""
        self.require_whole()
        if self.joining_until is not None and now < self.joining_until:
            raise Unavailable(
                "this upload is being made whole by an earlier request; ask again in some seconds, it will be the same submission"
            )
        return now + JOINING

    def require_whole(self) -> None:
        """Raise Conflict unless every byte is there."""
        if self.received != self.size:
            raise Conflict(f"{self.received:,} of {self.size:,} bytes are here: send the rest first")
