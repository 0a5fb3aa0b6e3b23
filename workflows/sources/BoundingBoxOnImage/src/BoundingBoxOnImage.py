"""Draws boxes on an image and leaves the result as a PNG for the rest of the same request.

Payload: {"image": "data://...", "boxes": [[left, top, right, bottom], ...]}, in pixels from the upper left corner.
Answer: {"image": "data://.session/....png", "size": [width, height], "boxes": how many were drawn}.

This is the newer form of an algorithm: the development kit (ADK) calls `apply`.
"""

import io
import uuid

import Algorithmia
from Algorithmia import ADK
from PIL import Image, ImageDraw

COLOUR = (230, 0, 80)

client = Algorithmia.client()


def apply(payload):
    uri, boxes = _parse(payload)
    image = _read_image(uri)
    draw(image, boxes)
    return {"image": _store(image), "size": list(image.size), "boxes": len(boxes)}


def _parse(payload):
    uri = payload.get("image") if isinstance(payload, dict) else None
    if not isinstance(uri, str) or not uri.startswith("data://"):
        raise ValueError(f'expected an object whose "image" is a data URI, data://...; got {payload!r}')
    boxes = payload.get("boxes")
    if not isinstance(boxes, list) or not all(_is_box(box) for box in boxes):
        raise ValueError(f'"boxes" must be a list of [left, top, right, bottom]; got {boxes!r}')
    return uri, boxes


def _is_box(box):
    if not isinstance(box, list) or len(box) != 4 or not all(type(side) in (int, float) for side in box):
        return False
    left, top, right, bottom = box
    return left <= right and top <= bottom


def _read_image(uri):
    content = client.file(uri).getBytes()
    try:
        return Image.open(io.BytesIO(content)).convert("RGB")
    except OSError as error:
        raise ValueError(f"{uri} is not an image that can be read") from error


def draw(image, boxes):
    """Outline every box on the image itself; a box may reach over the edge."""
    pen = ImageDraw.Draw(image)
    width = max(2, max(image.size) // 200)
    for box in boxes:
        pen.rectangle(box, outline=COLOUR, width=width)


def _store(image):
    png = io.BytesIO()
    image.save(png, format="PNG")
    # Calls of one request share `.session`: each needs a name of its own.
    uri = f"data://.session/{uuid.uuid4()}.png"
    client.file(uri).put(png.getvalue())
    return uri


algorithm = ADK(apply)
algorithm.init({"image": "data://.my/BoundingBoxOnImage/rocket.jpg", "boxes": [[300, 120, 340, 420]]})
