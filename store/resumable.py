"""Uploads that come in pieces, over days if need be: a folder each, with the bytes so far and a note of what they are.

How far an upload has come is the size of its file, so that whoever dies in between, the answer is true. One request at a
time goes on with it, the latest: of one before, whose connection may hang, nothing more is written, so an offset that was
told stays right.
"""

import fcntl
import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TextIO
from uuid import uuid4

from store.database import new_id
from store.errors import Conflict, NotFound, TooLarge, UploadComplete, UploadLength, UploadOffset
from store.files import RESUMABLE

ID = re.compile("upl_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""Ids as `new_id` makes them. Nothing else may become part of a path."""


@dataclass(frozen=True)
class About:
    """An upload's description: its owner, the file's name, the fields that came with it, its length if that is known, and the
    dataset it became.
    """

    owner: str
    filename: str
    given: dict[str, str]
    length: int | None = None
    dataset_id: str | None = None


@dataclass(frozen=True)
class Upload:
    """An upload on disk, as one request has it."""

    id: str
    folder: Path
    about: About
    turn: str = ""

    @property
    def content(self) -> Path:
        return self.folder / "content"

    @property
    def offset(self) -> int:
        """Bytes that have come."""
        if self.about.dataset_id is not None and self.about.length is not None:
            return self.about.length
        return self.content.stat().st_size

    def take(self) -> "Upload":
        """The upload for this request alone: those before it write nothing more."""
        taken = replace(self, turn=uuid4().hex)
        with taken._locked() as file:
            file.truncate(0)
            file.write(taken.turn)
        return taken

    @contextmanager
    def _locked(self, name: str = "turn", wait: bool = True) -> Iterator[TextIO]:
        """A file of the upload's for this request alone, by default the one that says whose turn it is.

        Raises NotFound where the upload has been given up, BlockingIOError where it must wait and is not to.
        """
        try:
            file = (self.folder / name).open("a+")
        except FileNotFoundError:
            raise NotFound(_unknown(self.id)) from None
        with file:
            fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield file

    @contextmanager
    def finishing(self) -> Iterator[None]:
        """While the whole file becomes a dataset: whoever asks for the same meanwhile, or after, gets no second one.

        Raises Conflict while another request does it, UploadComplete where one has.
        """
        try:
            with self._locked("finish", wait=False):
                found = get(self.folder.parent, self.id, None).about
                if found.dataset_id is not None:
                    raise UploadComplete(f"the upload is complete and became dataset '{found.dataset_id}'")
                yield
        except BlockingIOError:
            raise Conflict("all of the upload has come and is being read; ask again in a moment") from None

    def append(self, offset: int, data: bytes, limit: int) -> int:
        """Add bytes that begin at `offset`; the new offset. Two that write at once cannot both be right: the first is told.

        Raises UploadOffset, UploadLength or TooLarge; Conflict where a later request has taken the upload, NotFound where it
        has been given up.
        """
        with self._locked() as turn, self.content.open("r+b") as file:
            turn.seek(0)
            if turn.read() != self.turn:
                raise Conflict("a later request has gone on with this upload, and no more of this one is kept")
            size = file.seek(0, 2)
            if size != offset:
                raise UploadOffset(expected=size, provided=offset)
            if size + len(data) > limit:
                raise TooLarge(f"the upload is over the limit of {limit} bytes; send less, or raise VIDRO_MAX_UPLOAD_BYTES")
            if self.about.length is not None and size + len(data) > self.about.length:
                raise UploadLength(f"more than the {self.about.length} bytes came that were said to; begin it anew")
            file.write(data)
        return size + len(data)

    def check_append(self, offset: int, is_empty: bool) -> None:
        """Raises UploadComplete, UploadLength or UploadOffset where nothing can be added there."""
        if self.about.dataset_id is not None:
            detail = f"the upload is complete and became dataset '{self.about.dataset_id}'"
            raise UploadComplete(detail) if is_empty else UploadLength(f"{detail}; nothing can be added")
        if offset != self.offset:
            raise UploadOffset(expected=self.offset, provided=offset)

    def of_length(self, *lengths: int | None) -> "Upload":
        """The upload, its length written down where it is known now. Raises UploadLength where these do not agree."""
        known = {length for length in (self.about.length, *lengths) if length is not None}
        if len(known) > 1:
            said = " and ".join(map(str, sorted(known)))
            raise UploadLength(f"the upload is said to be {said} bytes long; Upload-Length and Content-Length must agree")
        return self.remember(length=known.pop()) if known and self.about.length is None else self

    def remember(self, **changes: Any) -> "Upload":
        """Write down what has changed."""
        about = About(**{**asdict(self.about), **changes})
        draft = self.folder / "about.new"
        draft.write_text(json.dumps(asdict(about)))
        draft.replace(self.folder / "about.json")
        return replace(self, about=about)

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def create(files: Path, about: About) -> Upload:
    """A new upload with nothing in it."""
    upload_id = new_id("upl")
    upload = Upload(upload_id, files / f"{RESUMABLE}{upload_id}", about)
    upload.folder.mkdir(parents=True)
    upload.content.touch()
    return upload.remember().take()


def get(files: Path, upload_id: str, owner: str | None) -> Upload:
    """The upload, not yet taken. Raises NotFound, also for another's and for one that has expired."""
    folder = files / f"{RESUMABLE}{upload_id}"
    try:
        if not ID.fullmatch(upload_id):
            raise FileNotFoundError
        about = About(**json.loads((folder / "about.json").read_text()))
    except FileNotFoundError:
        raise NotFound(_unknown(upload_id)) from None
    if owner is not None and about.owner != owner:
        raise NotFound(_unknown(upload_id))
    return Upload(upload_id, folder, about)


def _unknown(upload_id: str) -> str:
    return f"no upload '{upload_id[:60]}'; it has expired or never was: POST /v1/uploads begins one"
