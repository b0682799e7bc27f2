"""In which encoding a file's text is: said by a mark, shown by its bytes, or guessed from its letters."""

import codecs
import re
from typing import BinaryIO

from charset_normalizer import from_bytes

UTF_8 = "utf-8-sig"  # which reads a mark away where there is one
CHUNK_BYTES = 1024 * 1024
SAMPLE_BYTES = 64 * 1024
_MARKS = (
    (codecs.BOM_UTF8, UTF_8),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_HIGH = bytes(range(0x80, 0x100))
_LEAST = 3  # high bytes: fewer say nothing about an encoding that is not the Western one
# What cp1252 has beyond ASCII, but for what tables seldom hold. `ÿ` is left out: byte 0xFF is damage far more often.
_FOREIGN = re.compile(rb"[\x81-\x84\x86-\x88\x8a\x8b\x8d-\x90\x98\x9a\x9b\x9d-\x9f\xff]")
_RUN = re.compile(rb"[\x8c\x9c\xc0-\xd6\xd8-\xf6\xf8-\xfe]{3}")  # accented letters in a row: another script's


def encoding_of(file: BinaryIO) -> str:
    """The encoding of a file, which is read to its end; where nothing tells, UTF-8.

    A file with good UTF-8 beyond ASCII is UTF-8 although single lines are not. Else bytes beyond ASCII that make
    Western letters are Windows' (cp1252), and the rest is left to charset-normalizer.
    """
    file.seek(0)
    start = file.read(4 * 1024)
    for mark, name in _MARKS:
        if start.startswith(mark):
            return name
    if wide := _wide(start):
        return wide
    file.seek(0)
    lines = _lines_beyond_ascii(file)
    if not lines or any(map(_is_utf8, lines)):
        return UTF_8
    sample = b"".join(lines)
    if _is_western(sample):
        return "cp1252"
    found = from_bytes(sample).best() if len(sample) - len(sample.translate(None, _HIGH)) >= _LEAST else None
    return found.encoding if found is not None else UTF_8


def _wide(start: bytes) -> str | None:
    """UTF-16 without a mark: every other byte of what is mostly ASCII is NUL."""
    if not start or b"\0" not in start:
        return None
    half = len(start) / 2
    if start[1::2].count(0) > half * 0.6:
        return "utf-16-le"
    return "utf-16-be" if start[::2].count(0) > half * 0.6 else None


def _lines_beyond_ascii(file: BinaryIO) -> list[bytes]:
    """The first lines that hold more than ASCII; none where the file as a whole is UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while chunk := file.read(CHUNK_BYTES):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        file.seek(0)
        return _some_lines(file)
    return []


def _some_lines(file: BinaryIO) -> list[bytes]:
    lines: list[bytes] = []
    size = 0
    for line in file:
        if not line.isascii():
            lines.append(line[:SAMPLE_BYTES])
            size += len(line)
            if size > SAMPLE_BYTES:
                break
    return lines


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_western(sample: bytes) -> bool:
    return not _FOREIGN.search(sample) and not _RUN.search(sample)
