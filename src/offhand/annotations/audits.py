"""The file of an audit: the items a person is asked about, and the answers.

Like an edit, an item names what it is about by time, not by number, so that another run that finds
the same does not invalidate its answer.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, model_validator

from offhand.annotations.document import Record, in_words, locked, read_document, write_document
from offhand.annotations.edits import Stretch
from offhand.errors import OffhandError, StoreError

FILE_NAME = "audit.json"

FORMAT: Literal[1] = 1
"""Version of the file's schema."""

CANNOT_TELL: Literal["cannot tell"] = "cannot tell"

Number = Annotated[int, Field(ge=0, le=1_000_000, strict=True)]


class CountItem(Record):
    """Ask how many repetitions there are in a stretch that was counted.

    Attributes
    ----------
    id
        Stable name of the item.
    stratum
        Where it was drawn from.
    count
        What the run counted: to compare with, not to show beside the question.
    answer
        What a person counted, 0 where nothing repeats.
    """

    id: str
    kind: Literal["count"] = "count"
    stratum: str
    stretch: Stretch
    count: Number
    answer: Number | Literal["cannot tell"] | None = None


class MemberItem(Record):
    """Ask whether a segment shows the same activity as the exemplar of its cluster.

    Attributes
    ----------
    id
        Stable name of the item.
    stratum
        The cluster's number when the item was drawn, such as ``C3``.
    exemplar
        The stretch that stands for the cluster.
    """

    id: str
    kind: Literal["member"] = "member"
    stratum: str
    modality: str
    clusterer: str
    stretch: Stretch
    exemplar: Stretch
    answer: Literal["yes", "no", "cannot tell"] | None = None


Item = CountItem | MemberItem
Answer = int | str | None


class StratumSize(Record):
    """How many items of a stratum there were to draw from."""

    kind: Literal["count", "member"]
    stratum: str
    size: Annotated[int, Field(ge=1)]


class Audit(Record):
    """A sample, what it was drawn from, and the answers so far.

    Attributes
    ----------
    n, seed, modality
        What was asked for.
    n_edits
        Corrections there were: the audit is of the results with these, not with later ones.
    items
        In an order in which any first part of them is spread over the strata.
    """

    format: Literal[1] = FORMAT
    n: Annotated[int, Field(ge=1)]
    seed: Annotated[int, Field(ge=0)]
    modality: str
    n_edits: Annotated[int, Field(ge=0)]
    strata: tuple[StratumSize, ...]
    items: tuple[Annotated[Item, Field(discriminator="kind")], ...]

    @model_validator(mode="after")
    def _consistent(self) -> Audit:
        if len({item.id for item in self.items}) < len(self.items):
            raise ValueError("an item is there twice")
        sizes = {(stratum.kind, stratum.stratum): stratum.size for stratum in self.strata}
        for item in self.items:
            sizes[item.kind, item.stratum] = sizes.get((item.kind, item.stratum), 0) - 1
        if len(sizes) != len(self.strata) or min(sizes.values(), default=0) < 0:
            raise ValueError("the strata do not fit the items")
        return self

    def answered(self, item_id: str, value: Answer) -> Audit:
        """Return the audit with the answer to one item; ``None`` takes an answer back.

        Raises
        ------
        ValueError
            There is no such item, or the answer is none that it allows.
        """
        places = [place for place, item in enumerate(self.items) if item.id == item_id]
        if not places:
            raise ValueError(f"the audit has no item {item_id}")
        item = self.items[places[0]]
        try:
            changed = type(item).model_validate({**item.model_dump(), "answer": value})
        except ValidationError as error:
            allowed = "a whole number" if item.kind == "count" else "'yes', 'no'"
            raise ValueError(f"{value!r} is no answer: {allowed} or {CANNOT_TELL!r}") from error
        items = (*self.items[: places[0]], changed, *self.items[places[0] + 1 :])
        return self.model_copy(update={"items": items})


def read_file(folder: Path) -> Audit | None:
    """Return the audit of a workspace, ``None`` where none was drawn.

    Raises
    ------
    StoreError
        The file is damaged, or of a newer offhand; it is left as it is.
    """
    path = folder / FILE_NAME
    content = read_document(path, version=FORMAT)
    if content is None:
        return None
    try:
        return Audit.model_validate(content)
    except ValidationError as error:
        raise StoreError(f"{path}: damaged ({in_words(error)}); mend or move the file") from error


def update_file(folder: Path, change: Callable[[Audit | None], Audit]) -> Audit:
    """Change the audit of a workspace, whole or not at all, and return what it is now.

    Raises
    ------
    StoreError
        As :func:`read_file`, or the file cannot be written.
    """
    path = folder / FILE_NAME
    with locked(path):
        audit = change(read_file(folder))
        write_document(path, audit.model_dump(mode="json"))
    return audit


def there(folder: Path, audit: Audit | None) -> Audit:
    """Return an audit that is there; OffhandError where none was drawn."""
    if audit is None:
        raise OffhandError(
            f"{folder}: no sample was drawn; draw one with: offhand audit {folder} --sample 50"
        )
    return audit
