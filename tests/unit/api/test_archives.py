"""Archives that nobody has to trust: what is a file comes out, everything else with a reason or not at all."""

from __future__ import annotations

import gzip
import io
import random
import stat
import tarfile
import tracemalloc
import zipfile

import pytest
from support.archives import encrypted, face, gzip_of_zeros, tar_of, zip_of, zip_of_infos

from visionlab_api.services.archives import Limits, UnusableArchive, entries
from visionlab_api.services.fates import Fate, RefusedFile

MIB = 2**20
LIMITS = Limits(files=100, total_bytes=300 * MIB, file_bytes=MIB)
FILES = {"a/1.jpg": face(1), "a/2.jpg": face(2), "3.jpg": face(3)}


def read(archive: bytes, limits: Limits = LIMITS, filename: str = "faces") -> dict[str, bytes | Fate]:
    """The contents by name; of a refused one its fate."""
    found: dict[str, bytes | Fate] = {}
    for entry in entries(io.BytesIO(archive), filename, len(archive), limits):
        assert 0 <= entry.place <= 1
        try:
            found[entry.name] = entry.read()
        except RefusedFile as refused:
            found[entry.name] = refused.fate
    return found


@pytest.mark.parametrize(
    "archive",
    [zip_of(FILES), zip_of(FILES, zipfile.ZIP_DEFLATED), tar_of(FILES), tar_of(FILES, "w:gz")],
    ids=["zip", "deflated zip", "tar", "tar.gz"],
)
def test_files_come_out_whole_and_in_order(archive):
    found = read(archive)
    assert found == FILES
    assert list(found) == list(FILES)


def test_a_single_file_is_itself():
    assert read(face(1), filename="face.jpg") == {"face.jpg": face(1)}


def test_what_systems_leave_behind_is_passed_over():
    junk = {"__MACOSX/a/._1.jpg": b"x", ".DS_Store": b"x", "a/Thumbs.db": b"x", "a/._1.jpg": b"x", "a/": b""}
    assert read(zip_of({**junk, **FILES})) == FILES
    assert read(tar_of({name: data for name, data in (junk | FILES).items() if name != "a/"})) == FILES


@pytest.mark.parametrize("name", ["/etc/cron.d/x.jpg", "../../x.jpg", "a/../../x.jpg", "C:/x.jpg", "a\\..\\x.jpg", "a\nb.jpg"])
@pytest.mark.parametrize("pack", [zip_of, tar_of])
def test_names_that_lead_out_are_refused(pack, name):
    found = read(pack({name: face(1), "good.jpg": face(2)}))
    assert found.pop("good.jpg") == face(2)
    assert list(found.values()) == [Fate.UNSAFE_NAME]


def member(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def test_links_and_devices_are_refused():
    others = [
        member("soft.jpg", tarfile.SYMTYPE, "/etc/passwd"),
        member("hard.jpg", tarfile.LNKTYPE, "good.jpg"),
        member("device.jpg", tarfile.CHRTYPE),
        member("pipe.jpg", tarfile.FIFOTYPE),
    ]
    assert read(tar_of({"good.jpg": face(1)}, "w", *others)) == {
        "good.jpg": face(1),
        "soft.jpg": Fate.LINK,
        "hard.jpg": Fate.LINK,
        "device.jpg": Fate.SPECIAL,
        "pipe.jpg": Fate.SPECIAL,
    }
    modes = {"link.jpg": (b"/etc/passwd", stat.S_IFLNK | 0o777), "pipe.jpg": (b"", stat.S_IFIFO), "good.jpg": (face(1), 0o100644)}
    assert read(zip_of_infos(modes)) == {"link.jpg": Fate.LINK, "pipe.jpg": Fate.SPECIAL, "good.jpg": face(1)}


def test_encrypted_and_oddly_packed_files_are_refused():
    assert read(encrypted(zip_of({"a.jpg": face(1)}))) == {"a.jpg": Fate.ENCRYPTED}
    assert read(zip_of({"a.jpg": face(1)}, zipfile.ZIP_LZMA)) == {"a.jpg": Fate.UNREADABLE}


def test_a_damaged_file_harms_no_other():
    archive = bytearray(zip_of(FILES))
    place = archive.index(FILES["a/2.jpg"])
    archive[place + 500] ^= 0xFF
    assert read(bytes(archive)) == FILES | {"a/2.jpg": Fate.UNREADABLE}


def test_a_file_that_is_too_large_is_refused_without_being_held():
    large = bytes(3 * MIB)
    for archive in (zip_of({"large.png": large, **FILES}), tar_of({"large.png": large, **FILES}, "w:gz")):
        assert read(archive) == {"large.png": Fate.TOO_LARGE, **FILES}


def test_a_size_that_lies_is_not_believed():
    archive = bytearray(zip_of({"large.png": bytes(3 * MIB)}, zipfile.ZIP_DEFLATED))
    for mark, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        place = archive.index(mark) + offset
        archive[place : place + 4] = (1000).to_bytes(4, "little")
    [fate] = read(bytes(archive)).values()
    assert fate in (Fate.UNREADABLE, Fate.TOO_LARGE)


@pytest.mark.parametrize(
    ("archive", "words"),
    [
        (zip_of({f"{i}.jpg": b"x" for i in range(101)}), "more files"),
        (tar_of({f"{i}.jpg": b"x" for i in range(101)}), "more files"),
        (zip_of({f"{i}.bin": bytes(60 * MIB) for i in range(2)}, zipfile.ZIP_DEFLATED), "100 times its size"),
        (tar_of({"zeros.bin": bytes(150 * MIB)}, "w:gz"), "100 times its size"),
        (gzip_of_zeros(200 * MIB), "damaged|100 times its size"),
        (gzip.compress(b"no tar archive"), "damaged"),
        (zip_of(FILES)[:-30], "damaged"),
        (b"PK\x03\x04" + bytes(100), "damaged"),
        (tar_of(FILES)[:3000], "damaged"),
        (tar_of(FILES, "w:gz")[:-200], "damaged"),
        (tar_of(FILES, "w:gz")[:-8] + bytes(8), "damaged"),
    ],
    ids=[
        "too many in a zip", "too many in a tar", "zip bomb", "tar.gz bomb", "gzip of zeros", "gzip of text", "cut zip", "no zip",
        "cut tar", "cut tar.gz", "wrong checksum",
    ],
)  # fmt: skip
def test_a_hostile_or_damaged_archive_is_refused_as_a_whole(archive, words):
    with pytest.raises(UnusableArchive, match=words) as refused:
        read(archive)
    assert "faces" in str(refused.value)


def test_a_tar_that_is_damaged_within_is_not_taken_for_its_beginning():
    archive = bytearray(tar_of(FILES))
    archive[archive.index(b"a/2.jpg") + 148] ^= 0xFF
    with pytest.raises(UnusableArchive, match="something else"):
        read(bytes(archive))


def test_more_bytes_than_may_be_are_refused():
    noise = random.Random(1).randbytes(MIB // 2)
    files = {f"{i}.bin": noise for i in range(4)}
    for pack in (zip_of, lambda files: tar_of(files, "w:gz")):
        with pytest.raises(UnusableArchive, match="limit"):
            read(pack(files), Limits(files=100, total_bytes=MIB, file_bytes=MIB))


def test_a_header_of_gigabytes_is_not_held():
    header = tarfile.TarInfo("x")
    header.type, header.size = tarfile.XHDTYPE, 4 * 2**30
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb") as packed:
        packed.write(header.tobuf(tarfile.USTAR_FORMAT))
        for _ in range(60):
            packed.write(bytes(MIB))
    tracemalloc.start()
    with pytest.raises(UnusableArchive):
        read(buffer.getvalue())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 80 * MIB


def test_members_that_overlap_are_refused():
    # The trick of bombs whose many members share the same bytes (Fifield, 2019).
    archive = bytearray(zip_of({"a.jpg": face(1), "b.jpg": face(2)}))
    second = archive.index(b"PK\x01\x02", archive.index(b"PK\x01\x02") + 4)
    archive[second + 42 : second + 46] = (0).to_bytes(4, "little")
    found = read(bytes(archive))
    assert found["b.jpg"] == Fate.UNREADABLE
