from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from support.image_files import jpeg, png

from visionlab_client import UnreadableImage
from visionlab_client.image_source import read_image


def test_all_that_can_be_an_image(tmp_path):
    data = png()
    path = tmp_path / "face.png"
    path.write_bytes(data)
    with path.open("rb") as opened:
        for source in (path, str(path), opened):
            image = read_image(source)
            assert (image.data, image.name, image.content_type) == (data, "face.png", "image/png")
    for source in (data, bytearray(data), memoryview(data), io.BytesIO(data)):
        assert read_image(source).data == data
    assert read_image(jpeg()).content_type == "image/jpeg"


def test_open_file_is_read_from_where_it_stands():
    file = io.BytesIO(b"head" + png())
    file.seek(4)
    assert read_image(file).data == png()


def test_empty_file_is_left_to_the_server_to_refuse(tmp_path):
    path = tmp_path / "empty.jpg"
    path.touch()
    assert read_image(path).data == b""


@pytest.mark.parametrize(
    ("name", "says"),
    [("gone.jpg", "no such file"), ("folder", "folder"), ("zero\0byte.jpg", "cannot be read"), ("x" * 300, "cannot")],
)
def test_what_cannot_be_read_says_why(tmp_path, name, says):
    (tmp_path / "folder").mkdir()
    with pytest.raises(UnreadableImage, match=says):
        read_image(f"{tmp_path}/{name}")


def test_file_without_permission(tmp_path):
    if os.geteuid() == 0:
        path = Path("/proc/self/mem")  # not even root may read its beginning
        says = "cannot be read"
    else:
        path = tmp_path / "secret.jpg"
        path.touch(mode=0)
        says = "permission denied"
    with pytest.raises(UnreadableImage, match=says):
        read_image(path)


def test_huge_file_is_not_read(tmp_path):
    path = tmp_path / "huge.jpg"
    with path.open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(UnreadableImage, match="1,048,576 MiB"):
        read_image(path)


def test_endless_file_is_read_up_to_the_bound():
    with pytest.raises(UnreadableImage, match="larger than 1 MiB"):
        read_image("/dev/zero", largest=2**20)


def test_bound_is_exact(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(bytes(100))
    assert len(read_image(path, largest=100).data) == 100
    for source in (path, bytes(100), io.BytesIO(bytes(100))):
        with pytest.raises(UnreadableImage):
            read_image(source, largest=99)


def test_name_that_is_no_text_is_sent_as_text(tmp_path):
    path = os.fsencode(tmp_path) + b"/f\xffce.png"
    with open(path, "wb") as file:
        file.write(png())
    image = read_image(os.fsdecode(path))
    assert image.data == png()
    assert image.name == "f?ce.png"


@pytest.mark.parametrize("source", [7, None, ["a.jpg"], io.StringIO("text")])
def test_what_is_no_image_is_a_type_error(source):
    with pytest.raises(TypeError):
        read_image(source)
