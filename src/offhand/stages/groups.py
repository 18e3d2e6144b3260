"""What stands above clips (worker, site, camera, day), from a table that the user gives."""

from __future__ import annotations

import csv
import logging
import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from offhand.errors import ConfigError
from offhand.store import fingerprint

logger = logging.getLogger(__name__)

RESERVED = "clip"
"""The column that names clips, and the level of clips themselves."""


@dataclass(frozen=True, kw_only=True)
class Group:
    """One level above clips, such as sites.

    Attributes
    ----------
    level
        Its name.
    of_clip
        ``(clip_id, group)`` for each clip that has one; the others are groups of their own.
    """

    level: str
    of_clip: tuple[tuple[str, str], ...]

    @property
    def key(self) -> str:
        """The identity of its content."""
        return fingerprint.digest([self.level, *("\t".join(pair) for pair in self.of_clip)])


def read_groups(path: str | os.PathLike[str], clip_ids: Collection[str]) -> tuple[Group, ...]:
    """Read a CSV table with the column ``clip`` and one column for each level.

    Parameters
    ----------
    path
        The file.
    clip_ids
        Clips of the workspace; the column ``clip`` holds these names, or names of video files.

    Raises
    ------
    ConfigError
        The table cannot be read, has no column ``clip`` or no other, or names a clip twice.
    """
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file)
            rows, columns = list(table), [name.strip() for name in table.fieldnames or []]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{path}: cannot be read as a CSV table ({error})") from error
    if RESERVED not in columns or len(columns) < 2:
        raise ConfigError(
            f"{path}: columns are {', '.join(columns) or 'missing'}; needed: {RESERVED}, and one "
            "for each level, such as worker, site, camera or day"
        )
    found: dict[str, dict[str, str]] = {}
    for number, row in enumerate(rows, start=2):
        cells = {str(name).strip(): str(value or "").strip() for name, value in row.items()}
        named = cells[RESERVED]
        clip = named if named in clip_ids else Path(named).stem
        if clip not in clip_ids:
            logger.warning("%s, line %d: no clip %r in this run", path, number, named)
        elif clip in found:
            raise ConfigError(f"{path}, line {number}: clip {clip!r} is named twice")
        else:
            found[clip] = cells
    return tuple(
        Group(
            level=level,
            of_clip=tuple((clip, row[level]) for clip, row in sorted(found.items()) if row[level]),
        )
        for level in columns
        if level != RESERVED
    )
