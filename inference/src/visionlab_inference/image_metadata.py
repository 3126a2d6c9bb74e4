"""What a picture tells beside its pixels: where and when it was taken, with which camera, by whom. It is taken out of the file.

The pixels stay as they are, to the bit: nothing is encoded anew. What is known to be needed for showing them is kept (tables,
colour profiles, sizes, which way is up), and all else goes, so that a kind of metadata nobody thought of goes too.
"""

from __future__ import annotations

import re
import zlib
from typing import Final

from visionlab_inference.images import BrokenImage, orientation

_SOI, _EOI = b"\xff\xd8", b"\xff\xd9"
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_MARKER: Final = re.compile(rb"\xff+([^\x00\xff])")
_MARKER_IN_SCAN: Final = re.compile(rb"\xff+([^\x00\xd0-\xd7\xff])")
_DQT, _DNL, _DRI, _DHP, _EXP, _SOS = 0xDB, 0xDC, 0xDD, 0xDE, 0xDF, 0xDA
_TABLES: Final = frozenset({*range(0xC0, 0xD0), _DQT, _DNL, _DRI, _DHP, _EXP, _SOS})
_STANDALONE: Final = frozenset({0x01, *range(0xD0, 0xD8)})
_APP0, _APP1, _APP2, _APP14 = 0xE0, 0xE1, 0xE2, 0xEE
_SHOWS: Final = frozenset(
    b"IHDR PLTE IDAT IEND tRNS gAMA cHRM sRGB iCCP sBIT bKGD hIST pHYs sPLT cICP mDCV cLLI acTL fcTL fdAT".split()
)
"""Chunks of a PNG that say how it looks (PNG, third edition, section 11)."""
_MAY_TURN: Final = frozenset(b"eXIf tEXt zTXt iTXt".split())


def without_metadata(data: bytes) -> bytes:
    """A JPEG or PNG file without metadata; a file that has none comes back as it was. Other files are given back untouched.

    Of a JPEG are kept: tables and scans, the sizes of JFIF, Adobe's colour transform and ICC profiles (ISO/IEC 10918-1, annex B).
    Further pictures after the first are dropped, as are thumbnails: they show what was cut off. Where the picture has to be
    turned to be upright, a new EXIF says that alone.

    Raises:
        BrokenImage: the file's parts do not fit together.
        ImageTooLarge, ImageTooSmall: as `inspect`, where that is seen on the way.
    """
    if data.startswith(_SOI):
        return _jpeg(data)
    if data.startswith(_PNG):
        return _png(data)
    return data


def _jpeg(data: bytes) -> bytes:
    kept: list[bytes] = []
    told: list[bytes] = []
    place, in_scan = len(_SOI), False
    while (found := (_MARKER_IN_SCAN if in_scan else _MARKER).search(data, place)) is not None:
        code = found[1][0]
        if in_scan:
            kept.append(data[place : found.start()])
        if code == _EOI[1]:
            kept.append(_EOI)
            break
        if code in _STANDALONE:
            place, in_scan = found.end(), False
            continue
        length = int.from_bytes(data[found.end() : found.end() + 2], "big")
        if length < 2:
            raise BrokenImage("The image is damaged: one of its parts has no length.")
        place = found.end() + length
        payload = data[found.end() + 2 : place]
        if code == _APP1:
            told.append(_segment(code, payload))
        shown = _shown(code, payload)
        if shown is not None:
            kept.append(_segment(code, shown))
        in_scan = code == _SOS
    else:
        if in_scan:
            kept.append(data[place:])
    # Asked of a file without the other parts: what is wrong with those is no reason to refuse the picture.
    way_up = orientation(b"".join([_SOI, *told, *kept])) if told else 1
    if way_up != 1:
        kept.insert(1 if kept[0][1] == _APP0 else 0, _segment(_APP1, b"Exif\0\0" + _exif(way_up)))
    return b"".join([_SOI, *kept])


def _segment(code: int, payload: bytes) -> bytes:
    return bytes([0xFF, code]) + (len(payload) + 2).to_bytes(2, "big") + payload


def _shown(code: int, payload: bytes) -> bytes | None:
    """What of a segment is needed to show the picture; None: nothing."""
    if code in _TABLES:
        return payload
    if code == _APP0 and payload.startswith(b"JFIF\0") and len(payload) >= 14:
        return payload[:12] + b"\0\0"  # without its thumbnail
    if code == _APP2 and payload.startswith(b"ICC_PROFILE\0"):
        return payload
    if code == _APP14 and payload.startswith(b"Adobe") and len(payload) >= 12:
        return payload[:12]
    return None


def _png(data: bytes) -> bytes:
    kept, place, may_turn = [_PNG], len(_PNG), False
    while place + 8 <= len(data):
        end = place + 12 + int.from_bytes(data[place : place + 4], "big")
        kind = data[place + 4 : place + 8]
        if kind in _SHOWS:
            kept.append(data[place:end])
        may_turn = may_turn or kind in _MAY_TURN
        place = end
        if kind == b"IEND":
            break
    way_up = orientation(data) if may_turn else 1
    if way_up != 1:
        chunk = b"eXIf" + _exif(way_up)
        kept.insert(2, (len(chunk) - 4).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big"))
    return b"".join(kept)


def _exif(way_up: int) -> bytes:
    """A TIFF header and a single entry: Orientation, a SHORT (Exif 3.0, section 4.6)."""
    entry = b"\x01\x12\0\x03\0\0\0\x01" + bytes([0, way_up, 0, 0])
    return b"MM\0*\0\0\0\x08" + b"\0\x01" + entry + b"\0\0\0\0"
