"""Random API keys in the formats that clusters use. Only their digests are stored."""

import base64
import hashlib
import json
import secrets
import string
import time
from enum import Enum

KEY_LENGTH = 28
"""The length of a key that begins with `sim`. Clients check for both."""


class KeyFormat(str, Enum):
    """The format of a key: `sim` and letters and digits, base64 with `/`, `+` and a final `=`, or a JSON Web Token."""

    PLAIN = "plain"
    BASE64 = "base64"
    JWT = "jwt"


def new_key(form: KeyFormat = KeyFormat.PLAIN, user: str = "") -> str:
    """A random key, or a worker's token."""
    if form is KeyFormat.BASE64:
        return _base64_key()
    if form is KeyFormat.JWT:
        return _token(user)
    alphabet = string.ascii_letters + string.digits
    return "sim" + "".join(secrets.choice(alphabet) for _ in range(KEY_LENGTH - 3))


def digest(key: str) -> str:
    """The digest by which a key is stored and found. A look-up by digest does not leak the key by its timing."""
    return hashlib.sha256(key.encode()).hexdigest()


def _base64_key() -> str:
    """32 random bytes: 43 characters and one `=`. Repeated until both `/` and `+` are among them."""
    while True:
        key = base64.b64encode(secrets.token_bytes(32)).decode()
        if "/" in key and "+" in key:
            return key


def _token(user: str) -> str:
    """A text in the format of a JSON Web Token. Its signature is random, as this cluster finds keys by their digest."""
    parts = [{"alg": "RS256", "typ": "JWT"}, {"sub": user, "iat": int(time.time()), "jti": secrets.token_hex(16)}]
    texts = [_url_safe(json.dumps(part, separators=(",", ":")).encode()) for part in parts]
    return ".".join([*texts, _url_safe(secrets.token_bytes(256))])


def _url_safe(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
