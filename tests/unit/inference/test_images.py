"""Whatever file a person drops: the right pixels, or a sentence that says what is wrong with it."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import time
import zlib

import numpy as np
import pytest
from PIL import Image
from support.image_files import black_png, chunk, encoded, jpeg, picture, png

from visionlab_inference.images import (
    MAX_SCANS,
    BrokenImage,
    ImageTooLarge,
    ImageTooSmall,
    NotAnImage,
    encode_png,
    inspect,
    prepare,
    thumbnail,
)

EVERY_USE = pytest.mark.parametrize(
    "use", [inspect, prepare, lambda data: thumbnail(data, 64)], ids=["inspect", "prepare", "thumbnail"]
)
# What Pillow warns of is answered here in another way.
quiet = pytest.mark.filterwarnings("ignore::UserWarning")


@EVERY_USE
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 1000,
        b"Dear robot, is this a face?",
        b"<svg xmlns='http://www.w3.org/2000/svg' width='100' height='100'/>",
        encoded(picture(), "GIF"),
        encoded(picture(), "WEBP"),
        encoded(picture(), "BMP"),
        encoded(picture(), "TIFF"),
        encoded(picture(), "PDF"),
        b"\xff\xd8\xff",
        b"\x89PNG\r\n\x1a\n",
    ],
    ids=[
        "empty",
        "zeros",
        "text",
        "svg",
        "gif",
        "webp",
        "bmp",
        "tiff",
        "pdf",
        "only the mark of a JPEG",
        "only the mark of a PNG",
    ],
)
def test_what_is_no_jpeg_and_no_png_is_refused(use, data):
    with pytest.raises(NotAnImage) as refusal:
        use(data)
    assert str(refusal.value).endswith(".")


@EVERY_USE
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "progressive JPEG"])
@pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
def test_image_that_was_cut_off_is_refused(use, kind, part):
    noise = np.random.default_rng(0).integers(0, 256, (100, 120, 3), dtype=np.uint8)
    data = encoded(noise, kind.split()[-1], **({"progressive": True} if "progressive" in kind else {}))
    with pytest.raises(BrokenImage, match="cut off"):
        use(data[: int(len(data) * part)])


@EVERY_USE
def test_image_with_damaged_pixels_is_refused(use):
    data = bytearray(encoded(np.random.default_rng(0).integers(0, 256, (100, 120, 3), dtype=np.uint8)))
    data[len(data) // 2] ^= 0xFF
    with pytest.raises(BrokenImage):
        use(bytes(data))


@EVERY_USE
@pytest.mark.parametrize("size", [(1, 1), (15, 4000), (4000, 15)])
def test_image_with_too_few_pixels_is_refused(use, size):
    with pytest.raises(ImageTooSmall, match=f"{size[0]} x {size[1]}"):
        use(png(*size))


@EVERY_USE
def test_image_with_too_many_pixels_is_refused_at_once(use):
    data = black_png(30_000, 30_000)
    assert len(data) < 4_000_000
    began = time.thread_time()
    with pytest.raises(ImageTooLarge, match="30000 x 30000"):
        use(data)
    assert time.thread_time() - began < 0.5


def test_refusing_too_many_pixels_takes_no_memory():
    program = """
import resource, sys
from visionlab_inference.images import ImageTooLarge, prepare
data = sys.stdin.buffer.read()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    prepare(data)
except ImageTooLarge:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    done = subprocess.run([sys.executable, "-c", program], input=black_png(30_000, 30_000), stdout=subprocess.PIPE, check=True)
    assert int(done.stdout) < 20_000, "KiB"


def test_black_png_is_a_valid_file():
    # So that the refusal above is one of a good file for its size alone.
    assert not prepare(black_png(700, 600)).pixels.any()


@EVERY_USE
def test_jpeg_made_of_countless_scans_is_refused_at_once(use):
    data = encoded(Image.new("L", (2000, 2000), 128), "JPEG", progressive=True)
    begin = data.index(b"\xff\xda", data.index(b"\xff\xda") + 2)
    end = data.index(b"\xff\xc4", begin)
    bomb = data[:end] + data[begin:end] * 100_000 + data[end:]
    began = time.thread_time()
    with pytest.raises(BrokenImage, match=f"more than {MAX_SCANS} scans"):
        use(bomb)
    assert time.thread_time() - began < 1


def test_what_follows_the_picture_does_not_count_as_scans():
    # Telephones append films to their photos.
    assert inspect(jpeg() + b"\xff\xda\x00\x08" * 1000).width == 64


def test_cmyk_jpeg_shows_its_colours():
    data = encoded(Image.new("CMYK", (64, 64), (0, 255, 255, 0)), "JPEG", quality=95)
    assert inspect(data).content_type == "image/jpeg"
    red, green, blue = prepare(data).pixels[100, 100].astype(int)
    assert red > 200
    assert green < 60
    assert blue < 60


def test_grey_images_are_accepted():
    for data in (encoded(Image.new("L", (64, 64), 77)), encoded(Image.new("L", (64, 64), 77), "JPEG", quality=95)):
        assert np.abs(prepare(data).pixels.astype(int) - 77).max() <= 1
    assert (prepare(encoded(Image.new("1", (64, 64), 1))).pixels == 255).all()


def test_16_bit_grey_png_keeps_its_brightness():
    levels = np.linspace(0, 65535, 224, dtype=np.uint16)
    pixels = prepare(encoded(Image.fromarray(np.tile(levels, (224, 1))))).pixels
    assert np.abs(pixels[0, :, 0].astype(float) - levels / 257).max() <= 1
    assert (pixels == pixels[:, :, :1]).all()


def test_16_bit_colour_png_keeps_its_colours():
    rgb = picture(224, 224)
    rows = b"".join(b"\0" + (row.astype(">u2") * 257).astype(">u2").tobytes() for row in rgb)

    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 224, 224, 16, 2, 0, 0, 0))
    data += chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    assert np.abs(prepare(data).pixels.astype(int) - rgb).max() <= 1


def test_transparent_parts_are_white():
    image = Image.fromarray(picture(224, 224)).convert("RGBA")
    image.paste((0, 0, 0, 0), (0, 0, 224, 100))
    image.paste((0, 0, 0, 128), (0, 100, 224, 120))
    pixels = prepare(encoded(image)).pixels
    assert (pixels[:100] == 255).all()
    assert np.abs(pixels[100:120].astype(int) - 127).max() <= 1
    assert np.array_equal(pixels[120:], picture(224, 224)[120:])


def test_transparency_of_palettes_grey_and_colour_keys_is_white():
    palette = Image.new("P", (224, 224), 1)
    palette.putpalette([10, 20, 30, 200, 100, 50])
    palette.paste(0, (0, 0, 224, 100))
    pixels = prepare(encoded(palette, transparency=0)).pixels
    assert (pixels[:100] == 255).all()
    assert (pixels[100:] == (200, 100, 50)).all()

    grey = Image.new("LA", (224, 224), (0, 0))
    assert (prepare(encoded(grey)).pixels == 255).all()

    key = Image.new("RGB", (224, 224), (1, 2, 3))
    assert (prepare(encoded(key, transparency=(1, 2, 3))).pixels == 255).all()


def test_animated_png_gives_its_first_frame():
    frames = [Image.fromarray(picture(224, 224, seed)) for seed in range(3)]
    data = encoded(frames[0], save_all=True, append_images=frames[1:], duration=100)
    assert inspect(data).suffix == ".png"
    assert np.array_equal(prepare(data).pixels, picture(224, 224, 0))


def test_jpeg_with_further_pictures_in_it_gives_the_first():
    # Many telephones' photos: depth maps, previews (CIPA DC-007, "MPO").
    data = encoded(Image.fromarray(picture(300, 200)), "MPO", save_all=True, append_images=[Image.new("RGB", (640, 480))])
    info = inspect(data)
    assert (info.content_type, info.suffix, info.width, info.height) == ("image/jpeg", ".jpg", 300, 200)
    assert np.array_equal(prepare(data).pixels, prepare(jpeg(300, 200)).pixels)
    assert thumbnail(data, 64)


def as_stored(upright: np.ndarray, orientation: int) -> np.ndarray:
    """Pixels as a camera stores them: EXIF 2.32, table 6, says where the visual top and side of each row and column are."""
    return {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: upright[:, ::-1].transpose(1, 0, 2),
        7: upright[::-1, ::-1].transpose(1, 0, 2),
        8: upright[::-1].transpose(1, 0, 2),
    }[orientation]


def turned(upright: np.ndarray, orientation: int, kind: str) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"quality": 95, "subsampling": 0} if kind == "JPEG" else {}
    return encoded(np.ascontiguousarray(as_stored(upright, orientation)), kind, exif=exif, **options)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_photo_is_turned_upright(kind, orientation):
    upright = picture(224, 224)
    pixels = prepare(turned(upright, orientation, kind)).pixels
    assert np.abs(pixels.astype(int) - upright).max() <= (0 if kind == "PNG" else 12)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_size_and_region_are_those_of_the_upright_photo(kind, orientation):
    data = turned(picture(400, 300), orientation, kind)
    info = inspect(data)
    assert (info.width, info.height) == (400, 300)
    region = prepare(data).region
    assert (region.left, region.top, region.width, region.height) == (0.125, 0, 0.75, 1)
    with Image.open(io.BytesIO(thumbnail(data, 64))) as small:
        assert small.size == (64, 48)
        assert np.abs(np.asarray(small.convert("RGB")).astype(int) - picture(64, 48)).mean() < 6


@quiet
@EVERY_USE
@pytest.mark.parametrize(
    "exif", [b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\x01\x12" * 30]
)
def test_damaged_exif_is_no_reason_to_refuse(use, exif):
    assert use(jpeg(exif=exif))
    assert use(encoded(picture(64, 64), exif=exif))


@quiet
@pytest.mark.parametrize("value", [0, 9, 6000])
def test_orientation_that_means_nothing_is_none(value):
    exif = Image.Exif()
    exif[0x0112] = value
    assert np.array_equal(prepare(encoded(picture(), exif=exif)).pixels, picture())


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((400, 300), (0.125, 0, 0.75, 1)),
        ((300, 400), (0, 0.1, 1, 0.75)),
        ((300, 300), (0, 0, 1, 1)),
        ((16, 16_000), (0, 0.3996, 1, 0.001)),
        ((16_000, 16), (0.4995, 0, 0.001, 1)),
    ],
)
def test_region_is_the_square_that_was_looked_at(size, expected):
    found = prepare(png(*size)).region
    assert (found.left, found.top, found.width, found.height) == pytest.approx(expected, abs=5e-5)


def test_pixels_are_those_of_the_region():
    scene = np.zeros((300, 500, 3), np.uint8)
    scene[:, 100:400] = (10, 200, 30)
    assert (prepare(encode_png(scene)).pixels[:, 1:-1] == (10, 200, 30)).all()


def test_picture_of_the_right_size_is_left_as_it_is():
    assert np.array_equal(prepare(png(224, 224)).pixels, picture(224, 224))


def test_small_picture_is_enlarged():
    pixels = prepare(png(16, 16)).pixels
    assert pixels.shape == (224, 224, 3)
    assert pixels.dtype == np.uint8


@pytest.mark.parametrize("size", [(448, 448), (1500, 1000), (450, 1100), (500, 450)])
def test_reduced_decoding_of_jpeg_gives_nearly_what_full_decoding_does(size):
    data = jpeg(*size, quality=90)
    with Image.open(io.BytesIO(data)) as whole:
        lossless = encoded(whole)
    difference = prepare(data).pixels.astype(int) - prepare(lossless).pixels
    assert np.abs(difference).mean() < 1
    assert np.abs(difference).max() < 16
    reduced, full = prepare(data).region, prepare(lossless).region
    # The square begins at a whole pixel of the decoded image, which has at least 224.
    assert (reduced.left, reduced.top) == pytest.approx((full.left, full.top), abs=0.5 / 224)


@pytest.mark.parametrize(
    "file",
    [
        jpeg(256, 256),
        jpeg(223, 301, subsampling="4:4:4"),
        jpeg(301, 223, subsampling="4:2:2"),
        jpeg(449, 453),
        jpeg(901, 1237, quality=40),
        jpeg(1801, 1999, progressive=True),
        encoded(Image.fromarray(picture(500, 300)).convert("L"), "JPEG"),
        encoded(picture(300, 300), "JPEG", keep_rgb=True),
    ],
    ids=["256", "4:4:4", "4:2:2", "a half", "a quarter", "an eighth, progressive", "grey", "RGB"],
)
def test_detectors_see_the_pixels_that_pillow_decodes(file):
    with Image.open(io.BytesIO(file)) as image:
        image.draft("RGB", (224, 224))
        decoded = image.convert("RGB")
    assert np.array_equal(prepare(file).pixels, prepare(encoded(decoded)).pixels)


def test_jpeg_with_a_harmless_fault_is_accepted():
    file = jpeg(256, 256)
    scan = file.index(b"\xff\xda")
    with_stray_bytes = file[:scan] + b"\0\0\0\0" + file[scan:]
    assert np.array_equal(prepare(with_stray_bytes).pixels, prepare(file).pixels)


@pytest.mark.parametrize(("size", "width", "expected"), [
    ((640, 480), 128, (128, 96)),
    ((100, 50), 128, (100, 50)),
    ((4000, 16), 64, (64, 1)),
    ((16, 30_000), 64, (9, 16_383)),
])  # fmt: skip
def test_thumbnail_is_as_wide_as_asked_and_never_enlarged(size, width, expected):
    with Image.open(io.BytesIO(thumbnail(png(*size), width))) as small:
        assert small.format == "WEBP"
        assert small.size == expected


def test_file_is_known_by_its_content():
    assert (inspect(jpeg()).content_type, inspect(jpeg()).suffix) == ("image/jpeg", ".jpg")
    assert (inspect(png()).content_type, inspect(png()).suffix) == ("image/png", ".png")


def test_encoding_loses_nothing():
    with Image.open(io.BytesIO(encode_png(picture()))) as image:
        assert np.array_equal(np.asarray(image), picture())
