"""Trust: which certificates are believed. Nothing of it comes from the machine's environment."""

from __future__ import annotations

import ssl

from algosync.core.error import UsageError

__all__ = ["tls_context"]


def tls_context(ca_cert: str | None, variable: str) -> ssl.SSLContext:
    """Trusts the usual authorities and, where given, the ones in the file `ca_cert`. UsageError: it cannot be read.

    Made by hand: `ssl.create_default_context` writes every session's keys into the file that SSLKEYLOGFILE names.
    """
    import certifi

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(cafile=certifi.where())
    if ca_cert:
        try:
            context.load_verify_locations(cafile=ca_cert)
        except (OSError, ssl.SSLError, ValueError) as error:
            raise UsageError(f"{variable} names no usable certificate file: {error}") from None
    return context
