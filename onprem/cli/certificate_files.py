"""Where a certificate is written: FILE.json, which is signed, and FILE.txt for people."""

import os
from pathlib import Path

import msgspec
import typer

from onprem.cli.output import note
from onprem.core.certificate import ErasureCertificate, text
from onprem.core.signed import SignedDocument
from onprem.errors import PurgeRefused
from onprem.faults import Fault


def certificate_text(document: SignedDocument) -> str:
    return text(msgspec.json.decode(document.body, type=ErasureCertificate), document)


def print_certificate(document: SignedDocument) -> None:
    """The text, then the signed document in one line."""
    typer.echo(certificate_text(document))
    typer.echo(document.encoded().decode())


class CertificateFiles:
    """Both are made before anything is deleted, so that no erasure ends without its proof."""

    def __init__(self, path: Path) -> None:
        """Raises PurgeRefused: one is there already, or cannot be made."""
        self._json, self._text = (
            path.with_name(f"{path.name}.json"),
            path.with_name(f"{path.name}.txt"),
        )
        for file in (self._json, self._text):
            try:
                os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            except OSError as error:
                if file is self._text:
                    self._json.unlink()
                raise PurgeRefused([Fault("--certificate", f"{file}: {error.strerror}")]) from error

    def write(self, document: SignedDocument) -> None:
        """Printed instead where the disk has no room for it."""
        try:
            self._json.write_bytes(document.encoded() + b"\n")
            self._text.write_text(certificate_text(document))
        except OSError as error:
            self.drop()
            note(f"{error.filename} cannot be written: {error.strerror}. This is the certificate:")
            print_certificate(document)
            return
        note(f"certificate: {self._json} and {self._text}")

    def drop(self) -> None:
        """There is no certificate."""
        self._json.unlink(missing_ok=True)
        self._text.unlink(missing_ok=True)
