"""The certificates that are trusted. Independent of the machine's configuration."""

from __future__ import annotations

import ssl

from algosync.core.error import UsageError
from algosync.core.lean import dataclass
from algosync.core.text import printable

__all__ = ["Trust", "tls_context"]


@dataclass(frozen=True, slots=True)
class Trust:
    """Trusted certificate authorities: the public ones, and those in the file `ca_cert`, which the setting `variable` names."""

    ca_cert: str | None = None
    variable: str = ""

    def context(self) -> ssl.SSLContext:
        """Return the TLS context. Raises UsageError if the file cannot be read."""
        return tls_context(self.ca_cert, self.variable)


def tls_context(ca_cert: str | None, variable: str) -> ssl.SSLContext:
    """Return a context that trusts the public authorities and those in the file `ca_cert`. Raises UsageError if it cannot be read.

    Does not use `ssl.create_default_context`, which writes session keys to the file that SSLKEYLOGFILE names.
    """
    import certifi

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.hostname_checks_common_name = False  # the names are in subjectAltName; the common name may be any text
    context.load_verify_locations(cafile=certifi.where())
    if ca_cert:
        shown = printable(ca_cert, 200)
        try:
            context.load_verify_locations(cafile=ca_cert)
        except ssl.SSLError:
            hint = "the file has to contain a certificate that starts with -----BEGIN CERTIFICATE-----"
            raise UsageError(f"{variable} names a file without certificates in PEM form: {shown}", hint=hint) from None
        except (OSError, ValueError) as error:  # ValueError: an invalid file name
            reason = error.strerror if isinstance(error, OSError) else error
            raise UsageError(f"{variable} names a certificate file that cannot be read: {shown}: {reason}") from None
    return context
