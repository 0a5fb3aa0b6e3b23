"""Draws boxes on an image.

Payload: {"image": "data://..." or an image file in base64, "boxes": [[left, top, right, bottom], ...]}, in pixels from the
upper left corner. Answer: {"image": a PNG in base64, "size": [width, height], "boxes": how many were drawn}.

This is the newer form of an algorithm: the development kit (ADK) calls `apply`.
"""

import base64
import binascii
import io

import Algorithmia
from Algorithmia import ADK
from PIL import Image, ImageDraw

COLOUR = (230, 0, 80)

client = Algorithmia.client()


def apply(payload):
    source, boxes = _parse(payload)
    image = _read_image(source)
    draw(image, boxes)
    return {"image": _encoded(image), "size": list(image.size), "boxes": len(boxes)}


def _parse(payload):
    source = payload.get("image") if isinstance(payload, dict) else None
    if not isinstance(source, str):
        raise ValueError(f'expected an object whose "image" is a data URI or an image file in base64; got {payload!r}')
    boxes = payload.get("boxes")
    if not isinstance(boxes, list) or not all(_is_box(box) for box in boxes):
        raise ValueError(f'"boxes" must be a list of [left, top, right, bottom]; got {boxes!r}')
    return source, boxes


def _is_box(box):
    if not isinstance(box, list) or len(box) != 4 or not all(type(side) in (int, float) for side in box):
        return False
    left, top, right, bottom = box
    return left <= right and top <= bottom


def _read_image(source):
    try:
        content = client.file(source).getBytes() if source.startswith("data://") else base64.b64decode(source, validate=True)
        return Image.open(io.BytesIO(content)).convert("RGB")
    except (OSError, binascii.Error) as error:
        raise ValueError(f"{source[:80]} is not an image that can be read") from error


def draw(image, boxes):
    """Outline every box on the image itself; a box may reach over the edge."""
    pen = ImageDraw.Draw(image)
    width = max(2, max(image.size) // 200)
    for box in boxes:
        pen.rectangle(box, outline=COLOUR, width=width)


def _encoded(image):
    png = io.BytesIO()
    image.save(png, format="PNG")
    return base64.b64encode(png.getvalue()).decode("ascii")


algorithm = ADK(apply)
algorithm.init({"image": "data://.my/BoundingBoxOnImage/rocket.jpg", "boxes": [[300, 120, 340, 420]]})
