"""Fetches an image by its data URI, shrinks it, and hands it on as a PNG.

Payload: {"image": "data://...", "resize": 600}. `resize` is the longest side of the result in pixels; smaller images
stay as they are. Answer: {"image": the PNG in base64, "size": [width, height], "original_size": [width, height]}.

This is the platform's older form of an algorithm: a module with `apply`, called by the platform itself.
"""

import base64
import io

import Algorithmia
from PIL import Image

DEFAULT_SIDE = 600
LARGEST_SIDE = 4096

client = Algorithmia.client()


def apply(payload):
    uri, side = _parse(payload)
    image = _read_image(uri)
    original_size = image.size
    image.thumbnail((side, side))  # keeps the proportions, never enlarges
    return {"image": _encoded(image), "size": list(image.size), "original_size": list(original_size)}


def _parse(payload):
    uri = payload.get("image") if isinstance(payload, dict) else None
    if not isinstance(uri, str) or not uri.startswith("data://"):
        raise ValueError(f'expected an object whose "image" is a data URI, data://...; got {payload!r}')
    side = payload.get("resize", DEFAULT_SIDE)
    if isinstance(side, bool) or not isinstance(side, int) or not 1 <= side <= LARGEST_SIDE:
        raise ValueError(f'"resize" must be a number of pixels from 1 to {LARGEST_SIDE}; got {side!r}')
    return uri, side


def _read_image(uri):
    content = client.file(uri).getBytes()
    try:
        return Image.open(io.BytesIO(content)).convert("RGB")
    except OSError as error:
        raise ValueError(f"{uri} is not an image that can be read") from error


def _encoded(image):
    png = io.BytesIO()
    image.save(png, format="PNG")
    return base64.b64encode(png.getvalue()).decode("ascii")
