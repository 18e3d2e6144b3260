"""Names of clips: a file keeps its ``clip_id`` for ever, and two files never share one."""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import asdict, dataclass
from pathlib import Path

from offhand.errors import StoreError, VideoError
from offhand.files import write_text
from offhand.files.names import in_archive, plain, stem
from offhand.files.reading import Seen, is_there, look
from offhand.store.fingerprint import of_samples

MAX_LENGTH = 48
"""Characters of a file's stem that its clip_id keeps."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A known file: its name in the tables, and its content when last seen.

    Attributes
    ----------
    clip_id
        The name in the tables.
    size, modified_ns
        In bytes, and time of the last change; -1 where it is not known.
    sha256
        Of samples of the content; of a remote file, of what its store says of the content. Empty
        where the file could not be read.
    """

    clip_id: str
    size: int = -1
    modified_ns: int = -1
    sha256: str = ""


class ClipRegistry:
    """The known files of a workspace, kept in one JSON file.

    Parameters
    ----------
    path
        The JSON file; it need not exist.

    Raises
    ------
    StoreError
        The file is damaged.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._entries: dict[str, Entry] = {}
        if path.is_file():
            try:
                stored = json.loads(path.read_text(encoding="utf-8"))
                self._entries = {name: Entry(**entry) for name, entry in stored.items()}
            except (OSError, ValueError, TypeError) as error:
                raise StoreError(f"{path}: the list of clips is damaged ({error})") from error

    def register(self, file: str | Path, seen: Seen | None = None) -> Entry:
        """Return a file's entry, with the hash of its content as it is now (``""`` if unreadable).

        A file that was moved keeps its ``clip_id``: its content is known, and gone from where it
        was.

        Parameters
        ----------
        file
            A path, a URL, or ``archive.tar::member``.
        seen
            From :func:`seen_now`, where that was asked before.
        """
        name = plain(file)
        known = self._entries.get(name)
        seen = seen or seen_now(name)
        is_same = known and (known.size, known.modified_ns) == (seen.size, seen.modified_ns)
        if known and known.sha256 and is_same and seen.identity in ("", known.sha256):
            return known
        sha256 = seen.identity
        if not sha256 and seen.size > 0:
            try:
                sha256 = of_samples(name)
            except VideoError:
                sha256 = ""  # opening it for decoding fails later, with the reason
        clip_id = known.clip_id if known else self._moved(sha256) or self._new_id(name)
        entry = Entry(clip_id=clip_id, size=seen.size, modified_ns=seen.modified_ns, sha256=sha256)
        self._entries[name] = entry
        return entry

    def save(self) -> None:
        """Write the list; raises StoreError."""
        content = {name: asdict(entry) for name, entry in sorted(self._entries.items())}
        # ASCII, as a file's name need not be valid Unicode
        write_text(self._path, json.dumps(content, indent=1))

    def _moved(self, sha256: str) -> str | None:
        """Return the clip_id of a file with this content that is no longer there."""
        if not sha256:
            return None
        for name, entry in list(self._entries.items()):
            if entry.sha256 == sha256 and not is_there(name):
                del self._entries[name]
                return entry.clip_id
        return None

    def _new_id(self, name: str) -> str:
        taken = {entry.clip_id.casefold() for entry in self._entries.values()}
        # of shard and key, the key tells more
        base = clean_name(stem(name), from_end=in_archive(name) is not None)
        clip_id, number = base, 2
        while clip_id.casefold() in taken:
            clip_id, number = f"{base}-{number}", number + 1
        return clip_id


def seen_now(name: str) -> Seen:
    """Return what is told of a file; sizes of -1 where it cannot be reached."""
    try:
        return look(name)
    except OSError:
        return Seen(size=-1)


def clean_name(stem: str, *, from_end: bool = False) -> str:
    """Return a file's stem as a name that is safe in paths, at most ``MAX_LENGTH`` characters.

    Letters and digits of any script, dot, hyphen and underscore stay; anything else becomes an
    underscore. Of a longer name the beginning is kept, or the end.
    """
    composed = unicodedata.normalize("NFC", stem)
    kept = slice(-MAX_LENGTH, None) if from_end else slice(MAX_LENGTH)
    clean = re.sub(r"[^\w.\-]+", "_", composed)[kept].strip("._- ")
    return clean or "clip"
