"""The pages of a report: the overview, and one page a clip where there are many."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from functools import cached_property

import numpy as np

from offhand.report.activities import activities_view
from offhand.report.coverage import coverage_view
from offhand.report.drilldown import Clips
from offhand.report.evidence import evidence_view
from offhand.report.exemplars import Exemplars
from offhand.report.ranking import HIDDEN, modality_views, quality_matrix
from offhand.report.repetitions import repetitions_view
from offhand.report.steps import absent_steps, computed_steps, notes_of
from offhand.report.stored import ReportSource
from offhand.report.tables import Tables, read_tables
from offhand.report.takeaways import take_aways
from offhand.report.thumbnails import Thumbnails
from offhand.report.view import Page, Summary
from offhand.report.view_clip import ClipPage, ClipPanel, Typical
from offhand.report.view_clusters import ClipName, Clustering, Modality

MOST_CLIPS, MOST_SEGMENTS = 12, 2000
"""Up to how many clips, and segments of all of them, everything is one page."""

MOST_TYPICAL = 24
"""Activities that are pictured on the page of a clip."""

NAME_LENGTH = 80


class Report:
    """The pages of one workspace; its tables are read once.

    Parameters
    ----------
    source
        Where the tables and thumbnails are; only the table ``clips`` is required.
    most_clips, most_segments
        Up to how many of both clips are sections of the overview; more have pages of their own.

    Raises
    ------
    StoreError
        If the workspace has no table ``clips``, or tables of another version.

    Attributes
    ----------
    tables
        What was read.
    clip_of
        The clip of each page, by the name of its file; none where everything is one page.
    """

    def __init__(
        self,
        source: ReportSource,
        *,
        most_clips: int = MOST_CLIPS,
        most_segments: int = MOST_SEGMENTS,
    ) -> None:
        self._source = source
        self.tables = read_tables(source)
        ids = self.tables.clips["clip_id"].tolist()
        is_small = len(ids) <= most_clips and len(self.tables.segments) <= most_segments
        files = dict.fromkeys(ids, "") if is_small else file_names(ids)
        self.clip_of = {name: clip_id for clip_id, name in files.items() if name}
        self._names = {
            clip_id: ClipName(clip_id=clip_id, anchor=f"clip-{place}", page=files[clip_id])
            for place, clip_id in enumerate(ids, start=1)
        }

    @cached_property
    def overview(self) -> Page:
        """The page of all clips."""
        tables, names, modalities = self.tables, self._names, self._modalities
        evidence = evidence_view(tables)
        summary = _summary(tables, self._clips.used_s())
        coverage = coverage_view(tables, names)
        steps = computed_steps(tables, modalities)
        bouts = [bout for clip_id in names for bout in self._clips.bouts(clip_id)]
        return Page(
            workspace=self._workspace,
            version=str(tables.manifest.get("version", "")),
            created=str(tables.manifest.get("created", "")),
            config=str(tables.manifest.get("config", "")),
            summary=summary,
            activities=activities_view(tables, self._analysed, modalities),
            take_aways=take_aways(tables, summary, coverage, steps, modalities, evidence),
            evidence=evidence,
            repetitions=repetitions_view(tables, bouts),
            coverage=coverage,
            steps=steps,
            absent=absent_steps(tables),
            notes=notes_of(tables)[0],
            modalities=modalities,
            matrix=quality_matrix(tables, self._analysed, modalities, leading=True),
            other_matrix=quality_matrix(tables, self._analysed, modalities, leading=False),
            rows=tuple(self._clips.row(clip_id) for clip_id in names),
            clips=() if self.clip_of else tuple(self._clips.panel(clip_id) for clip_id in names),
            images=self._thumbnails.images(),
            n_images_left_out=self._thumbnails.n_left_out,
            previews=self._thumbnails.previews(),
            image_ratio=self._image_ratio,
        )

    def clip_page(self, clip_id: str) -> ClipPage:
        """Return the page of a clip; KeyError for one that is not in the run."""
        names = [*self._names.values()]
        place = self._places[clip_id]
        thumbnails = Thumbnails(self._source)
        clip = self._clips.panel(clip_id)
        return ClipPage(
            workspace=self._workspace,
            place=place + 1,
            n_clips=len(names),
            before=names[place - 1] if place else None,
            after=names[place + 1] if place + 1 < len(names) else None,
            clip=clip,
            modality=self._lead.modality if self._lead else "",
            clusterer=self._lead.clusterer if self._lead else "",
            typical=self._typical(clip, thumbnails),
            images=thumbnails.images(),
            n_images_left_out=thumbnails.n_left_out,
            previews=thumbnails.previews(),
            image_ratio=self._image_ratio,
        )

    def _typical(self, clip: ClipPanel, thumbnails: Thumbnails) -> tuple[Typical, ...]:
        """Return the activities of a clip with a picture each."""
        lead, clip_id = self._lead, clip.name.clip_id
        strip = next((one for one in clip.strips if lead and one.modality == lead.modality), None)
        found: list[Typical] = []
        for portion in strip.legend if strip else ():
            cluster = portion.cluster
            place = self._shown.get((cluster.label, clip_id))
            if place and cluster.status != HIDDEN and len(found) < MOST_TYPICAL:
                segment_id, is_medoid = place
                cell = self._exemplars.cell(
                    thumbnails, cluster, clip_id, segment_id, is_medoid=is_medoid
                )
                found.append(Typical(portion=portion, cell=cell))
        return tuple(found)

    @cached_property
    def _workspace(self) -> str:
        return self._source.path.resolve().name

    @cached_property
    def _analysed(self) -> dict[str, ClipName]:
        clips = self.tables.clips
        failed = set(clips.loc[clips["status"] == "failed", "clip_id"])
        return {clip_id: name for clip_id, name in self._names.items() if clip_id not in failed}

    @cached_property
    def _places(self) -> dict[str, int]:
        return {clip_id: place for place, clip_id in enumerate(self._names)}

    @cached_property
    def _exemplars(self) -> Exemplars:
        return Exemplars(self.tables)

    @cached_property
    def _thumbnails(self) -> Thumbnails:
        return Thumbnails(self._source)

    @cached_property
    def _modalities(self) -> tuple[Modality, ...]:
        return modality_views(self.tables, self._analysed, self._exemplars, self._thumbnails)

    @cached_property
    def _lead(self) -> Clustering | None:
        """The clustering that the report leads with."""
        return next((m.default for m in self._modalities if m.default.clusters), None)

    @cached_property
    def _shown(self) -> dict[tuple[int, str], tuple[int, bool]]:
        """The exemplars of that clustering."""
        lead = self._lead
        return self._exemplars.of(lead.modality, lead.clusterer) if lead else {}

    @cached_property
    def _clips(self) -> Clips:
        return Clips(self.tables, self._names, self._modalities)

    @cached_property
    def _image_ratio(self) -> float:
        """The usual width / height of the clips, kept between upright and wide."""
        clips = self.tables.clips
        width, height = (np.asarray(clips[c], dtype=np.float64) for c in ("width", "height"))
        known = (width > 0) & (height > 0)
        if not known.any():
            return 4 / 3
        return float(np.clip(np.median(width[known] / height[known]), 0.75, 16 / 9))


def file_names(clip_ids: Iterable[str]) -> dict[str, str]:
    """Return the name of each clip's page: the clip's own where that is safe as the name of a file.

    Any other, and one that differs from another in upper and lower case alone, gets a digest of
    the clip's name behind what is safe of it.
    """
    found: dict[str, str] = {}
    taken: set[str] = set()
    for clip_id in clip_ids:
        stem = re.sub(r"[^\w.-]+", "_", clip_id).strip("._- ")[:NAME_LENGTH] or "clip"
        if stem != clip_id or stem.casefold() in taken:
            digest = hashlib.sha256(clip_id.encode("utf-8", "backslashreplace")).hexdigest()
            stem = f"{stem}-{digest[:10]}"
        taken.add(stem.casefold())
        found[clip_id] = f"{stem}.html"
    return found


def _summary(tables: Tables, footage_s: float) -> Summary:
    status = tables.clips["status"]
    return Summary(
        n_clips=len(tables.clips),
        n_failed=int((status == "failed").sum()),
        n_partial=int((status == "partial").sum()),
        footage_s=footage_s,
        segments_s=float(tables.segments["seconds"].sum()),
        n_segments=len(tables.segments),
    )
