"""Keys: random texts in the forms that are in use. Only their digests are kept."""

import base64
import hashlib
import json
import secrets
import string
import time
from enum import Enum

KEY_LENGTH = 28
"""The length, beginning with `sim`, that clients recognise as a key."""


class Form(str, Enum):
    """How a key looks: the platform's own, one with `/`, `+` and a `=` at its end, or a bearer token in three parts."""

    PLAIN = "plain"
    BASE64 = "base64"
    JWT = "jwt"


def new_key(form: Form = Form.PLAIN, user: str = "") -> str:
    """A random key, or a worker's token."""
    if form is Form.BASE64:
        return _base64_key()
    if form is Form.JWT:
        return _token(user)
    alphabet = string.ascii_letters + string.digits
    return "sim" + "".join(secrets.choice(alphabet) for _ in range(KEY_LENGTH - 3))


def digest(key: str) -> str:
    """What is kept of a key. Look-ups by digest also tell nothing about a key by their timing."""
    return hashlib.sha256(key.encode()).hexdigest()


def _base64_key() -> str:
    """32 bytes are 43 characters and one `=`; drawn again until both odd characters are among them."""
    while True:
        key = base64.b64encode(secrets.token_bytes(32)).decode()
        if "/" in key and "+" in key:
            return key


def _token(user: str) -> str:
    """Shaped like a JSON Web Token. The signature is random: this cluster knows its tokens by their digest."""
    parts = [{"alg": "RS256", "typ": "JWT"}, {"sub": user, "iat": int(time.time()), "jti": secrets.token_hex(16)}]
    texts = [_url_safe(json.dumps(part, separators=(",", ":")).encode()) for part in parts]
    return ".".join([*texts, _url_safe(secrets.token_bytes(256))])


def _url_safe(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
