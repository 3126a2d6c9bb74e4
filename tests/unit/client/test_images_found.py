from __future__ import annotations

import os

from visionlab_client.command.images_found import find_images


def found(*named, listed=None, null=False) -> tuple[list[str], list[OSError]]:
    unreadable: list[OSError] = []
    return list(find_images([str(name) for name in named], listed, null=null, unreadable=unreadable.append)), unreadable


def test_files_are_passed_on_as_they_are_named(tmp_path):
    names = [str(tmp_path / "gone.jpg"), "notes.txt", "-x.jpg"]
    assert found(*names) == (names, [])


def test_folders_give_their_images(tmp_path):
    for name in ("b.jpg", "A.JPEG", "c.png", "notes.txt", ".hidden.jpg", "sub/d.Jpg", "sub/deep/e.png", "zub/f.jpg"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "sub" / "loop").symlink_to(tmp_path)
    expected = [".hidden.jpg", "A.JPEG", "b.jpg", "c.png", "sub/d.Jpg", "sub/deep/e.png", "zub/f.jpg"]
    assert found(tmp_path) == ([f"{tmp_path}/{name}" for name in expected], [])


def test_lists(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "in.jpg").touch()
    names = [b"a.jpg", b"with space.jpg", b"f\xffce.jpg", os.fsencode(tmp_path / "folder")]
    expected = ["a.jpg", "with space.jpg", os.fsdecode(b"f\xffce.jpg"), f"{tmp_path}/folder/in.jpg"]
    lines, zeros = tmp_path / "lines", tmp_path / "zeros"
    lines.write_bytes(b"\r\n".join(names) + b"\n\n")
    assert found(listed=str(lines)) == (expected, [])
    zeros.write_bytes(b"\0".join([*names, b"line\nend.jpg"]))
    assert found("first.jpg", listed=str(zeros), null=True) == (["first.jpg", *expected, "line\nend.jpg"], [])


def test_list_longer_than_what_is_read_at_once(tmp_path):
    names = [f"{number:06d}.jpg" for number in range(30_000)]
    for null, end in ((True, "\0"), (False, "\n")):
        (tmp_path / "list").write_text(end.join(names))
        assert found(listed=str(tmp_path / "list"), null=null) == (names, [])


def test_list_that_is_gone(tmp_path):
    paths, [error] = found("a.jpg", listed=str(tmp_path / "gone"))
    assert paths == ["a.jpg"]
    assert error.filename == str(tmp_path / "gone")
