"""Which modalities and signals were computed, with which models, and why others were not."""

from __future__ import annotations

import math
import re

from offhand.report.clusters import rows_of
from offhand.report.tables import Tables
from offhand.report.view import AbsentStep, Reading, Step
from offhand.report.view_clusters import Modality
from offhand.report.wording import EXPLANATIONS, named, plain


def computed_steps(tables: Tables, modalities: tuple[Modality, ...]) -> tuple[Step, ...]:
    """Return the modalities that were computed, in the order of the galleries.

    Parameters
    ----------
    tables
        The workspace's tables.
    modalities
        Those with clusters.
    """
    galleries = {modality.name: modality for modality in modalities}
    models = {str(row["signal"]): str(row["weights"]) for row in rows_of(tables.signals)}
    fusion = {str(row["modality"]): row for row in rows_of(tables.fusion)}
    rows = {str(row["modality"]): row for row in rows_of(tables.modalities)}
    names = [*galleries, *(name for name in rows if name not in galleries)]
    steps = []
    for name in names:
        row = rows.get(name, {})
        if row.get("status", "computed") != "computed":
            continue
        gallery = galleries.get(name)
        weighed = fusion.get(name, {})
        signals = [part.strip() for part in str(row.get("signals", "")).split(",")]
        steps.append(
            Step(
                name=name,
                explanation=EXPLANATIONS.get(name, ""),
                notes=tuple(n for n in feature_notes(tables, name)[0] if n[:7] != "model: "),
                anchor=gallery.anchor if gallery else "",
                readings=tuple(
                    Reading(signal=signal, weights=models.get(signal, ""))
                    for signal in signals
                    if signal
                ),
                described_share=1 - gallery.default.unseen_share if gallery else math.nan,
                weight=float(weighed.get("weight", math.nan)),
                agreement=float(weighed.get("agreement", math.nan)),
            )
        )
    return tuple(steps)


def absent_steps(tables: Tables) -> tuple[AbsentStep, ...]:
    """Return what could not be computed: modalities, and signals whose lack costs none of them."""
    modalities = [
        AbsentStep(
            kind="modality",
            name=str(row["modality"]),
            explanation=EXPLANATIONS.get(str(row["modality"]), ""),
            reason=str(row["reason"]),
        )
        for row in rows_of(tables.modalities)
        if row["status"] != "computed"
    ]
    told = " ".join(step.reason for step in modalities)
    signals = [
        AbsentStep(
            kind="signal",
            name=str(row["signal"]),
            explanation=EXPLANATIONS.get(str(row["signal"]), ""),
            reason=str(row["reason"]),
        )
        for row in rows_of(tables.signals)
        if row["status"] != "computed" and f"{row['signal']}: {row['reason']}" not in told
    ]
    return (*modalities, *signals)


def notes_of(tables: Tables) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
    """Return what the signals noted of every clip alike, and what they noted of single clips.

    Names of models, and what modalities note too, are left out: it stands beside those.
    """
    signals = "|".join(re.escape(str(name)) for name in tables.signals["signal"])
    start_of_note = re.compile(f"; (?=(?:{signals}) )")
    clips = tables.clips[tables.clips["status"] != "failed"]
    told = [note for modality in tables.features for note in feature_notes(tables, modality)[0]]
    found: dict[str, tuple[str, ...]] = {clip_id: () for clip_id in tables.clips["clip_id"]}
    for row in rows_of(clips):
        text = row.get("notes")
        notes = start_of_note.split(text) if isinstance(text, str) and text else []
        found[row["clip_id"]] = tuple(
            note
            for note in notes
            if " model: " not in note and not any(note.endswith(f" {known}") for known in told)
        )
    every = [set(found[clip_id]) for clip_id in clips["clip_id"]]
    shared = set.intersection(*every) if every else set()
    own = {
        clip_id: tuple(note for note in notes if note not in shared)
        for clip_id, notes in found.items()
    }
    return tuple(sorted(shared)), own


def feature_notes(tables: Tables, modality: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return a modality's notes about all clips, and those about some, which are named."""
    if modality not in tables.features:
        return (), ()
    table = tables.features[modality]
    clips = set(table["clip_id"].unique())
    about: dict[str, list[str]] = {}
    for key, text in tables.notes[modality].items():
        ends = [found.start() for found in re.finditer(": ", key)]
        clip_id = next((key[:end] for end in ends if key[:end] in clips), "")
        name = plain(key.removeprefix(f"{clip_id}: "))
        about.setdefault(f"{name}: {text}", []).append(clip_id)
    every = tuple(note for note, of in about.items() if "" in of or len(of) == len(clips))
    some = tuple(f"{named(of)}: {note}" for note, of in about.items() if note not in every)
    return every, some
