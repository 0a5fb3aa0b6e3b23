"""Trust: which certificates are believed. Nothing of it comes from the machine's environment."""

from __future__ import annotations

import ssl
from dataclasses import dataclass

from algosync.core.error import UsageError
from algosync.core.text import printable

__all__ = ["Trust", "tls_context"]


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom a cluster's hosts are believed to be by: the usual authorities, and those in the file `ca_cert`, given in `variable`."""

    ca_cert: str | None = None
    variable: str = ""

    def context(self) -> ssl.SSLContext:
        """UsageError: the file cannot be read."""
        return tls_context(self.ca_cert, self.variable)


def tls_context(ca_cert: str | None, variable: str) -> ssl.SSLContext:
    """Trusts the usual authorities and, where given, the ones in the file `ca_cert`. UsageError: it cannot be read.

    Made by hand: `ssl.create_default_context` writes every session's keys into the file that SSLKEYLOGFILE names.
    """
    import certifi

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.hostname_checks_common_name = False  # names stand in subjectAltName; a common name may be anything
    context.load_verify_locations(cafile=certifi.where())
    if ca_cert:
        shown = printable(ca_cert, 200)
        try:
            context.load_verify_locations(cafile=ca_cert)
        except ssl.SSLError:
            hint = "the file has to begin a certificate with -----BEGIN CERTIFICATE-----"
            raise UsageError(f"{variable} names a file without certificates in PEM form: {shown}", hint=hint) from None
        except (OSError, ValueError) as error:  # ValueError: a name that no file can have
            reason = error.strerror if isinstance(error, OSError) else error
            raise UsageError(f"{variable} names a certificate file that cannot be read: {shown}: {reason}") from None
    return context
