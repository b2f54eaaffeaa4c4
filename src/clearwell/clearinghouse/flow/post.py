# SPDX-License-Identifier: Apache-2.0
"""Post: mail leaves as a job. Its text lies sealed until it is sent and is deleted then; it never reaches a log."""

import os
import smtplib
import ssl
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from clearwell.clearinghouse.case import mail_store
from clearwell.clearinghouse.flow.jobs import SEND_MAIL
from clearwell.ground.house import House
from clearwell.ground.identity.actor import POST
from clearwell.ground.jobs.queue import defer
from clearwell.ground.policy.policy import Act, Subject
from clearwell.ground.storage.database import Transaction
from clearwell.vocabulary.errors import Unavailable
from clearwell.vocabulary.outside import for_header


class Mail(msgspec.Struct, frozen=True):
    """A message to one address."""

    to: str
    subject: str
    text: str

    def __repr__(self) -> str:
        return "Mail(…)"


def post(house: House, tx: Transaction, mail: Mail) -> None:
    """Queue a mail in the caller's transaction."""
    mail_id = house.new_id("mail")
    mail_store.insert(tx, mail_id, house.blobs.seal_text(msgspec.json.encode(mail)), house.clock.now())
    defer(tx, [SEND_MAIL.job(mail=mail_id)])


def send_mail(house: House, mail: str) -> None:
    """Send a queued mail once and forget its text. Raises Unavailable when the server does not take it; the job is tried again."""
    house.policy.require(POST, Act.SEND_MAIL, Subject(mail))
    with house.transaction(POST) as tx:
        sealed = mail_store.take(tx, mail)
        if sealed is None:
            return
        _deliver(house, mail, msgspec.json.decode(house.blobs.open_text(sealed), type=Mail))
        mail_store.mark_sent(tx, mail, house.clock.now())


def _deliver(house: House, mail_id: str, mail: Mail) -> None:
    message = EmailMessage(policy=SMTP)
    message["To"], message["Subject"] = for_header(mail.to), for_header(mail.subject)
    message["From"] = f"clearwell@{urlsplit(house.settings.public_url).hostname}"
    message["Message-ID"] = f"<{mail_id}@clearwell>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text, cte="8bit")  # lines are short; a quoted-printable break inside a link looks like a broken link
    if house.settings.smtp_url is None:
        _write(house.settings.outbox_dir, mail_id, bytes(message))
        return
    address = urlsplit(house.settings.smtp_url)
    try:
        with smtplib.SMTP(address.hostname or "localhost", address.port or 25, timeout=30) as server:
            if address.scheme == "smtps":
                server.starttls(context=ssl.create_default_context())  # without one, nobody checks whose certificate it is
            if address.username:
                server.login(address.username, address.password or "")
            server.send_message(message)
    except (OSError, smtplib.SMTPException) as reason:
        raise Unavailable(f"the mail server does not take mail now ({type(reason).__name__})") from None


def _write(folder: Path, mail_id: str, message: bytes) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    half = folder / f".{mail_id}"
    half.unlink(missing_ok=True)
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # links and codes: for us alone
        file.write(message)
    half.rename(folder / f"{mail_id}.eml")
