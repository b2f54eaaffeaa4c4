# SPDX-License-Identifier: Apache-2.0
"""What the exercise needs of the hub that it is played on: its address, its outgoing mail, and a way to wait until it is done."""

import email
import email.policy
import re
import time
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import httpx
import msgspec

from clearwell.faces.cli.demo.client import Client
from clearwell.faces.cli.demo.personas import Personas
from clearwell.vocabulary.errors import Unavailable

_LINK = re.compile(r"/maintainer/([\w-]{20,100})")
_CODE = re.compile(r"Your code is (\d{8})")
_MAIL_SECONDS = 60.0


class Mail(msgspec.Struct, frozen=True):
    """A mail that the hub sent, as its receiver sees it."""

    to: str
    subject: str
    text: str

    @property
    def link(self) -> str | None:
        """The secret of the maintainer's link in it."""
        found = _LINK.search(self.text)
        return found[1] if found else None

    @property
    def code(self) -> str | None:
        """The code in it."""
        found = _CODE.search(self.text)
        return found[1] if found else None


class Surroundings:
    """A hub that is running somewhere. `settle` waits until no job is left, `pause` waits so many seconds (or works meanwhile)."""

    def __init__(
        self, http: httpx.Client, outbox: Path, personas: Personas, settle: Callable[[], None], pause: Callable[[float], None] = time.sleep
    ) -> None:
        self._http, self._outbox, self._personas = http, outbox, personas
        self.settle, self.pause = settle, pause

    def as_(self, key: str) -> Client:
        """Sign in as a persona."""
        return Client(self._http, self._personas[key].token, self.pause)

    def anybody(self) -> Client:
        """Not signed in: the public, and maintainers, who have their link."""
        return Client(self._http, None, self.pause)

    def mails(self, contact: str) -> list[Mail]:
        """What was mailed to a contact, oldest first."""
        return [mail for mail in self._all_mails() if mail.to == contact]

    def await_mail(self, contact: str, before: int) -> Mail:
        """The next mail to a contact that had so many before; raise Unavailable when none comes."""
        deadline = time.monotonic() + _MAIL_SECONDS
        while time.monotonic() < deadline:
            mails = self.mails(contact)
            if len(mails) > before:
                return mails[-1]
            self.pause(0.05)
        raise Unavailable(f"no mail to {contact} came within {_MAIL_SECONDS:.0f} s: is a worker running?")

    def _all_mails(self) -> list[Mail]:
        return [_read(path) for path in sorted(self._outbox.glob("*.eml"))] if self._outbox.is_dir() else []


def _read(path: Path) -> Mail:
    message = email.message_from_bytes(path.read_bytes(), EmailMessage, policy=email.policy.default)
    return Mail(str(message["To"]), str(message["Subject"]), message.get_content())
