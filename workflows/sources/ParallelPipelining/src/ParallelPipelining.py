"""Runs a pipeline of three other algorithms many times at once, and checks what comes out of it.

Payload: the number of parallel pipelines, 1 to 100. Each one fetches and shrinks a sample image, finds the faces in it,
and draws a box around each. Answer: {"calls": ..., "faces": ..., "seconds": {"total": ..., "slowest": ..., "mean": ...}}.
A wrong outcome of any of them is an error that names the image.
"""

import base64
import struct
import time
from concurrent.futures import ThreadPoolExecutor

import Algorithmia
from Algorithmia.errors import AlgorithmException

SIDE = 480  # pixels
MOST_CALLS = 100
MOST_AT_ONCE = 24  # the platform allows an algorithm this many child calls at a time
CHILD_TIMEOUT = 300  # seconds; a child call does not inherit its parent's

# The sample images, and what must be found in them: the middle of each face, as parts of the width and the height.
FACES = {"astronaut.png": [(0.44, 0.23)], "chelsea.png": [], "rocket.jpg": []}
NEAR = 0.05


def apply(payload):
    if isinstance(payload, bool) or not isinstance(payload, int) or not 1 <= payload <= MOST_CALLS:
        raise ValueError(f"expected a number of parallel calls from 1 to {MOST_CALLS}; got {payload!r}")
    names = sorted(FACES)
    started = time.time()
    with ThreadPoolExecutor(min(payload, MOST_AT_ONCE)) as pool:
        outcomes = list(pool.map(run_pipeline, [names[index % len(names)] for index in range(payload)]))
    times = [seconds for _faces, seconds in outcomes]
    return {
        "calls": payload,
        "faces": sum(faces for faces, _seconds in outcomes),
        "seconds": {
            "total": round(time.time() - started, 3),
            "slowest": round(max(times), 3),
            "mean": round(sum(times) / len(times), 3),
        },
    }


def run_pipeline(name):
    """The number of faces in the sample image of that name, and the seconds that finding and drawing them took."""
    started = time.time()
    client = Algorithmia.client()  # one for each thread: its connections are not made to be shared
    image = "data://<user>/SmartImageDownloader/" + name
    small = _call(client, "SmartImageDownloader", {"image": image, "resize": SIDE})
    found = _call(client, "FaceDetection", {"image": small["image"]})
    boxes = [face["box"] for face in found["faces"]]
    drawn = _call(client, "BoundingBoxOnImage", {"image": small["image"], "boxes": boxes})
    check_faces(name, found["size"], boxes)
    check_drawing(name, len(boxes), *[base64.b64decode(answer["image"]) for answer in (small, drawn)])
    return len(boxes), time.time() - started


def _call(client, algorithm, payload):
    # Versions are published privately: a name alone would find public ones only.
    reference = f"<user>/{algorithm}/latestPrivate"
    try:
        return client.algo(reference).set_options(timeout=CHILD_TIMEOUT).pipe(payload).result
    except AlgorithmException as error:
        raise RuntimeError(f"{reference}: {error.message}") from error


def check_faces(name, size, boxes):
    """Raise unless the boxes are where the faces of that sample image are."""
    width, height = size
    middles = [((left + right) / 2 / width, (top + bottom) / 2 / height) for left, top, right, bottom in boxes]
    expected = FACES[name]
    if len(middles) != len(expected) or not all(_near(*pair) for pair in zip(sorted(middles), expected)):
        raise RuntimeError(f"{name}: expected faces at {expected}, found them at {middles}")


def _near(one, other):
    return all(abs(a - b) <= NEAR for a, b in zip(one, other))


def check_drawing(name, boxes, before, after):
    """Raise unless `after` is a PNG of the same size as `before`, and another image if there were boxes to draw."""
    sizes = _png_size(name, before), _png_size(name, after)
    if sizes[0] != sizes[1]:
        raise RuntimeError(f"{name}: drawing changed the size from {sizes[0]} to {sizes[1]}")
    if boxes and before == after:
        raise RuntimeError(f"{name}: {boxes} boxes to draw, but the image is unchanged")


def _png_size(name, png):
    if png[:8] != b"\x89PNG\r\n\x1a\n":
        raise RuntimeError(f"{name}: expected a PNG, got {png[:8]!r}")
    # The signature is followed by the IHDR chunk, whose first fields are width and height.
    return struct.unpack(">II", png[16:24])
