"""ZIP archives and OLE2 files: what they hold, told by their members, and how much, before a library unpacks them."""

import copy
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from store.errors import TooLarge, UnknownFormat, UnreadableFile
from store.formats.packing import FREE_BYTES, RATIO

PIECE = 1 << 20
MAX_MEMBERS = 1_000_000
PICTURES = (".png", ".jpg", ".jpeg")
ODS = b"application/vnd.oasis.opendocument.spreadsheet"
ENDINGS = {"npz": "npz", "xlsx": "xlsx", "xlsm": "xlsx", "ods": "ods"}
BROKEN = (zipfile.BadZipFile, zlib.error, RuntimeError, ValueError, EOFError, OSError, NotImplementedError)
"""Errors that zipfile raises over damaged archives."""
OFFICE = {
    "word/document.xml": "a Word file; save its table as a spreadsheet or CSV",
    "ppt/presentation.xml": "a PowerPoint file; save its table as a spreadsheet or CSV",
    "xl/workbook.bin": "a binary Excel workbook (.xlsb); save it as .xlsx",
    "META-INF/container.xml": "an e-book; save its table as CSV",
}
COMPOUND = {
    "WordDocument": "an old Word file; save its table as a spreadsheet or CSV",
    "PowerPoint Document": "an old PowerPoint file; save its table as a spreadsheet or CSV",
    "__properties_version1.0": "an Outlook message; save its table as a spreadsheet or CSV",
}


def is_junk(name: str) -> bool:
    """Whether a member of an archive is what a system puts beside the files."""
    last = name.rstrip("/").rpartition("/")[2]
    return (
        name.startswith("__MACOSX/") or last.startswith("._") or last in (".DS_Store", "Thumbs.db", "desktop.ini", "__MACOSX")
    )


def opened(path: Path, what: str = "archive") -> zipfile.ZipFile:
    """The ZIP archive. Raises UnreadableFile where it is broken, TooLarge where it holds too many members."""
    try:
        archive = zipfile.ZipFile(path)
    except BROKEN as error:
        raise broken(what, error) from None
    if len(archive.namelist()) > MAX_MEMBERS:
        raise TooLarge(f"the {what} holds {len(archive.namelist())} files; at most {MAX_MEMBERS} are read")
    return archive


def broken(what: str, error: Exception) -> UnreadableFile:
    return UnreadableFile(f"the {what} is broken or cut off ({str(error)[:200]}); write it again")


def archive_format(path: Path, name: str) -> str:
    """The format of a ZIP archive, by what it holds. Raises UnknownFormat with what it is else, UnreadableFile."""
    if not zipfile.is_zipfile(path):
        ending = name.rpartition(".")[2].lower()
        if ending in ENDINGS:
            return ENDINGS[ending]  # whose reader says what is broken
    with opened(path) as archive:
        names = [member for member in archive.namelist() if not member.endswith("/") and not is_junk(member)]
        if "xl/workbook.xml" in names:
            return "xlsx"
        if "mimetype" in names:
            try:
                with archive.open("mimetype") as stream:
                    kind = stream.read(100).strip()
            except BROKEN as error:
                raise broken("archive", error) from None
            if kind.startswith(ODS):
                return "ods"
            if kind.startswith(b"application/vnd.oasis.opendocument"):
                raise UnknownFormat(f"'{name}' is an OpenDocument file and no spreadsheet; save its table as .ods or CSV")
    if any(member.endswith(".npy") for member in names) or not names:
        return "npz"
    for member, remedy in OFFICE.items():
        if member in names:
            raise UnknownFormat(f"'{name}' is {remedy}")
    pictures = [member for member in names if member.lower().endswith(PICTURES)]
    if pictures:
        return "images"
    shown = ", ".join(f"'{member[:50]}'" for member in names[:3]) + (" …" if len(names) > 3 else "")
    raise UnknownFormat(
        f"'{name}' is a ZIP archive of {shown}: neither a spreadsheet, an NPZ file nor a folder of PNG or JPEG pictures; "
        f"unpack it and "
        "upload the file within, or pack that alone by gzip"
    )


def compound_format(path: Path, name: str) -> str:
    """The format of an OLE2 file, the form of old Office files. Raises UnknownFormat with what it is else."""
    streams = compound_streams(path)
    if "EncryptedPackage" in streams:
        raise UnknownFormat(f"'{name}' is encrypted by a password; save it without one, and upload it again")
    if "Workbook" in streams or "Book" in streams:
        return "xls"
    found = next((remedy for stream, remedy in COMPOUND.items() if stream in streams), None)
    raise UnknownFormat(f"'{name}' is {found or 'an OLE2 file and no spreadsheet; save its table as .xlsx or CSV'}")


def compound_streams(path: Path) -> list[str]:
    """The names of an OLE2 file's topmost streams. Raises UnreadableFile."""
    import olefile

    try:
        with olefile.OleFileIO(str(path)) as file:
            return [entry[0] for entry in file.listdir() if len(entry) == 1]
    except Exception as error:  # olefile raises of many kinds over bytes that lie
        raise broken("OLE2 file", error) from None


def pieces(archive: zipfile.ZipFile, member: zipfile.ZipInfo, limit: int, what: str) -> Iterator[bytes]:
    """The member unpacked, by the piece, however large its header says it is. Raises TooLarge, UnreadableFile."""
    honest = copy.copy(member)
    honest.file_size = limit + 1  # or zipfile would stop where the header says, and another library would not
    most, size = min(limit, max(FREE_BYTES, RATIO * member.compress_size)), 0
    try:
        with archive.open(honest) as stream:
            while piece := stream.read(PIECE):
                size += len(piece)
                if size > most:
                    raise TooLarge(
                        f"'{member.filename[:100]}' in the {what} unpacks to more than {most} bytes; send less, or raise "
                        "VIDRO_MAX_UNPACKED_BYTES"
                    )
                yield piece
    except BROKEN as error:
        raise broken(what, error) from None
    if size != member.file_size:
        raise UnreadableFile(f"'{member.filename[:100]}' in the {what} is not as large as the archive says; write it again")


def whole(archive: zipfile.ZipFile, member: zipfile.ZipInfo, limit: int, what: str) -> bytes:
    return b"".join(pieces(archive, member, limit, what))
