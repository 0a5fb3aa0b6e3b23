"""Sealed messages: only the worker that made a key pair can open what was sealed for its public key (libsodium's sealed boxes)."""

from __future__ import annotations

from nacl.public import PrivateKey, PublicKey, SealedBox

__all__ = ["KeyPair", "seal"]

KEY_SIZE = 32  # bytes


class KeyPair:
    """The key pair of one worker process. The private key never leaves its memory."""

    def __init__(self) -> None:
        self._private = PrivateKey.generate()

    @property
    def public(self) -> bytes:
        return bytes(self._private.public_key)

    def open(self, sealed: bytes) -> bytes:
        """The message. nacl.exceptions.CryptoError: it was sealed for another key, or changed."""
        return SealedBox(self._private).decrypt(sealed)


def seal(message: bytes, public: bytes) -> bytes:
    """The message for the owner of this public key. ValueError: that is no public key."""
    if not isinstance(public, bytes) or len(public) != KEY_SIZE:
        raise ValueError("not a public key")
    return SealedBox(PublicKey(public)).encrypt(message)
