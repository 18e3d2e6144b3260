"""Workspaces as a run leaves them, from data frames in memory."""

import math

import numpy as np
import pandas as pd

from offhand.errors import StoreError
from offhand.modalities import body_pose, tool_presence

NOTES = "motion lens: none; pose model: of; all; tools unsupported: brick; hands look: only {}"

ALL = (
    "flow_rhythm",
    "ego_motion",
    "body_pose",
    "tool_presence",
    "video_embedding",
    "late_fusion",
)


class FakeWorkspace:
    def __init__(self, path, tables, features, thumbnails=None, previews=None):
        self.path = path
        self.tables = tables
        self._features = features
        self._thumbnails = thumbnails or (lambda clip_id, segment_id: None)
        self._previews = previews or (lambda clip_id, segment_id: None)

    def table(self, name, columns=None, *, categories=()):
        if name not in self.tables:
            raise StoreError(f"no table {name}")
        table = self.tables[name]
        return table.copy() if columns is None else table[[*columns]].copy()

    def modalities(self):
        return list(self._features)

    def features(self, modality):
        return self._features[modality]

    def thumbnail(self, clip_id, segment_id):
        return self._thumbnails(clip_id, segment_id)

    def preview(self, clip_id, segment_id):
        return self._previews(clip_id, segment_id)

    def hide(self, modality, rows):
        """Leave segments undescribed, as a run does; ``rows`` tells which rows of the features."""
        if modality in self._features:
            table = self._features[modality]
            weights = table.attrs["weights"]
            table.loc[rows, [c for c in table if weights.get(c, 0) > 0]] = math.nan
        segments = self.tables["segments"][["clip_id", "segment_id"]].assign(hidden=rows)
        labels = self.tables["labels"].merge(segments, on=["clip_id", "segment_id"])
        out = (labels["modality"] == modality) & labels.pop("hidden")
        labels.loc[out, "label"], labels.loc[out, "probability"] = -1, math.nan
        self.tables["labels"] = labels

    def of_clip(self, name, clip_id):
        table = self.tables.get(name)
        return None if table is None else table[table["clip_id"] == clip_id]

    def manifest(self):
        return {"version": "0.1.0", "created": "2025-03-01T10:00:00", "config": 'a = "<b>"\n'}


MODELS = {"motion": "", "hands": "mediapipe_hands", "pose": "mediapipe_pose", "tools": "lite0"}


def _coverages(detector):
    """Coverage of a clip: the tracker holds twice as much as the detector finds."""
    values = {"pose_coverage": detector / 2}
    for name, share in (("detector", detector), ("tracker", 2 * detector)):
        values[f"hand_coverage_{name}"] = share
        values[f"hand_coverage_{name}_low"] = share - 0.02
        values[f"hand_coverage_{name}_high"] = share + 0.03
    return values


def _steps(modalities):
    """The tables ``signals``, ``modalities`` and ``fusion`` of a run that lacked nothing."""
    signals = [
        {"signal": name, "status": "computed", "reason": "", "weights": weights}
        for name, weights in MODELS.items()
    ]
    rows = [
        {
            "modality": name,
            "status": "computed",
            "reason": "",
            "signals": {"body_pose": "pose", "tool_presence": "tools"}.get(name, "motion"),
        }
        for name in modalities
    ]
    fused = [name for name in modalities if name != "late_fusion"]
    fusion = [
        {
            "modality": name,
            "weight": 2 * (place + 1) / (len(fused) * (len(fused) + 1)),
            "agreement": 0.1 * (place + 1),
            "described": 1.0,
        }
        for place, name in enumerate(fused)
    ]
    return {
        "signals": pd.DataFrame(signals),
        "modalities": pd.DataFrame(rows),
        "fusion": pd.DataFrame(fusion),
    }


def motion_features(keys, *, place, rng):
    """Features of a modality that the report does not know, as those of motion are."""
    table = keys.assign(
        a=rng.normal(size=len(keys)),
        period_s=np.where(rng.random(len(keys)) < 0.3, math.nan, 1.37 + place),
        strength=0.42,
        proxy_share=0.125,
    )
    weights = {"a": 1.0, "period_s": 0.0, "strength": 0.0, "proxy_share": 0.0}
    table.attrs = {"weights": weights, "notes": {"camera": "a proxy <stands> in"}}
    return table


def pose_features(keys, *, place, rng):
    """Features of ``body_pose``: a body in every segment."""
    del place, rng
    table = keys.assign(
        **dict.fromkeys(body_pose.INFORMATIVE, 0.25), **dict.fromkeys(body_pose.COLUMNS, 12.5)
    )
    weights = dict.fromkeys(body_pose.INFORMATIVE, 0.0) | dict.fromkeys(body_pose.COLUMNS, 1.0)
    table.attrs = {"weights": weights, "notes": {}}
    return table


def tool_features(keys, *, place, rng):
    """Features of ``tool_presence``: a hammer in every segment; no class for a brick."""
    del place, rng
    table = keys.assign(best_tool=1.0, best_score=0.5, second_tool=math.nan, second_score=0.01)
    table = table.assign(**{"brick": math.nan, "hammer": 0.6, "hand <saw>": 0.8})
    weights = dict.fromkeys(tool_presence.INFORMATIVE, 0.0)
    weights |= dict.fromkeys(("brick", "hammer", "hand <saw>"), 1.0)
    notes = {f"{clip}: unsupported": "brick" for clip in keys["clip_id"].unique()}
    table.attrs = {"weights": weights, "notes": notes}
    return table


def embedding_features(keys, *, place, rng):
    """Features of ``video_embedding``: nothing that a reader could read."""
    del place
    table = keys.assign(look_0=rng.normal(size=len(keys)))
    table.attrs = {"weights": {"look_0": 1.0}, "notes": {}}
    return table


FEATURES = {
    "body_pose": pose_features,
    "tool_presence": tool_features,
    "video_embedding": embedding_features,
}


def make_workspace(
    path,
    names,
    *,
    n_segments=12,
    length_s=5.0,
    k=4,
    modalities=("flow_rhythm", "ego_motion"),
    noise=0.2,
    failed=(),
    thumbnails=None,
    previews=None,
    seed=0,
):
    """A workspace as a run leaves it; failed clips have a row in ``clips`` alone."""
    rng = np.random.default_rng(seed)
    good = [name for name in names if name not in failed]
    total_s = n_segments * length_s
    clips = pd.DataFrame(
        [
            {
                "clip_id": name,
                "path": f"/footage/{name}",
                "status": "failed" if name in failed else "ok",
                "error": f"cannot open {name}: moov atom not found" if name in failed else "",
                "duration_s": math.nan if name in failed else total_s,
                "n_frames": 0 if name in failed else int(15 * total_s),
                "frame_rate": math.nan if name in failed else 15.0,
                "width": 0 if name in failed else 640,
                "height": 0 if name in failed else 480,
                "codec": "" if name in failed else "h264",
                "start_time": "",
                "from_s": 0.0,
                "to_s": math.nan,
                "mask_path": None,
                "notes": "" if name in failed else NOTES.format(name),
                **_coverages(math.nan if name in failed else 0.12 + 0.01 * (i % 10)),
            }
            for i, name in enumerate(names)
        ]
    )
    segments = pd.DataFrame(
        [
            {
                "clip_id": name,
                "segment_id": i,
                "start_s": i * length_s,
                "stop_s": (i + 1) * length_s,
            }
            for name in good
            for i in range(n_segments)
        ],
        columns=["clip_id", "segment_id", "start_s", "stop_s"],
    )
    labels, exemplars, consistency, features = [], [], [], {}
    for m, modality in enumerate(modalities):
        for clusterer in ("hdbscan", "ward"):
            share = noise if clusterer == "hdbscan" or noise == 1 else 0.0
            for scope in ("pooled", "clip"):
                value = np.minimum(k - 1, rng.geometric(0.35, len(segments)) - 1)
                value[rng.random(len(segments)) < share] = -1
                rows = segments[["clip_id", "segment_id"]].assign(
                    modality=modality,
                    clusterer=clusterer,
                    scope=scope,
                    is_default=clusterer == "ward",
                    label=value if k else -1,
                    probability=math.nan if clusterer == "ward" else np.where(value < 0, 0.0, 0.9),
                )
                labels.append(rows)
                kept = rows[rows["label"] >= 0].drop_duplicates(["label", "clip_id"])
                exemplars.append(
                    kept[
                        ["modality", "clusterer", "scope", "label", "clip_id", "segment_id"]
                    ].assign(is_medoid=~kept["label"].duplicated())
                )
                if scope == "pooled":
                    consistency.append(
                        {
                            "modality": modality,
                            "clusterer": clusterer,
                            "is_default": clusterer == "ward",
                            "n_clusters": int(rows.loc[rows["label"] >= 0, "label"].nunique()),
                            "n_segments": len(rows),
                            "noise_share": float((rows["label"] < 0).mean()) if len(rows) else 0.0,
                            "seed_entropy": 0.9234 - 0.1 * m if k else math.nan,
                            "seed_multi_clip_share": 0.75 if k else math.nan,
                        }
                    )
        if modality == "late_fusion":
            continue
        describe = FEATURES.get(modality, motion_features)
        table = describe(segments[["clip_id", "segment_id"]], place=m, rng=rng)
        features[modality] = table
    for name, value in (("random", 0.9512), ("one_cluster", 1.0), ("clip_identity", 0.0)):
        consistency.append(
            {
                "modality": f"control:{name}",
                "clusterer": "",
                "is_default": False,
                "n_clusters": 4,
                "n_segments": len(segments),
                "noise_share": 0.0,
                "seed_entropy": value,
                "seed_multi_clip_share": 1.0,
            }
        )
    time_s = np.arange(0.25, total_s, 0.5)
    periodic = (time_s % 20) < 12
    rhythm = [
        pd.DataFrame(
            {
                "clip_id": name,
                "time_s": time_s,
                "flow_magnitude": 0.2 + 0.1 * np.sin(time_s) + 0.05 * rng.random(len(time_s)),
                "period_s": np.where(periodic, 1.5 + 0.2 * rng.random(len(time_s)), math.nan),
                "strength": np.where(periodic, 0.7, 0.1) + 0.1 * rng.random(len(time_s)),
            }
        )
        for name in good
    ]
    tables = {"clips": clips, "segments": segments, "consistency": pd.DataFrame(consistency)}
    tables |= _evidence(modalities, labels, k)
    tables |= _steps(modalities)
    if good:
        tables |= {
            "labels": pd.concat(labels),
            "exemplars": pd.concat(exemplars),
            "rhythm": pd.concat(rhythm),
        }
    return FakeWorkspace(path, tables, features, thumbnails, previews)


def _evidence(
    modalities: tuple[str, ...], labels: list[pd.DataFrame], k: int
) -> dict[str, pd.DataFrame]:
    """Return what is said of clusterings, clusters and fingerprints."""
    scores, clusters = [], []
    for m, modality in enumerate(modalities):
        for clusterer in ("hdbscan", "ward"):
            scores.append(
                _score(modality, clusterer, 0.62 - 0.11 * m if k else math.nan)
                | {"surrogate_p": 0.025, "mixing": 0.9, "structure": 0.2, "n_confirmed": 2}
                | {"stability_clips": 0.8, "stability_blocks": 0.7}
            )
            own = [
                rows
                for rows in labels
                if [modality, clusterer, "pooled"]
                == rows[["modality", "clusterer", "scope"]].head(1).to_numpy().ravel().tolist()
            ]
            found = np.unique(own[0]["label"]) if own else np.empty(0, int)
            for number in found[found >= 0].tolist():
                p = (0.004, 0.3, math.nan)[number % 3]
                clusters.append(
                    {
                        "modality": modality,
                        "clusterer": clusterer,
                        "label": number,
                        "p": p,
                        "is_judged": not math.isnan(p),
                        "is_confirmed": p < 0.05,
                    }
                )
    for name, value in (("random", 0.0132), ("one_cluster", 0.0), ("clip_identity", 0.0)):
        scores.append(_score(f"control:{name}", "none", value) | {"p": 0.4})
    fingerprint = pd.DataFrame(
        {
            "modality": [one for one in modalities if one != "late_fusion"],
            "accuracy": 0.35,
            "low": 0.2,
            "high": 0.5,
            "accuracy_centred": 0.3,
            "chance": 1 / 3,
        }
    )
    columns = ["modality", "clusterer", "label", "p", "is_judged", "is_confirmed"]
    return {
        "evidence": pd.DataFrame(scores),
        "clusters": pd.DataFrame(clusters, columns=columns),
        "fingerprint": fingerprint,
    }


def _score(modality: str, clusterer: str, value: float) -> dict[str, object]:
    return {
        "modality": modality,
        "clusterer": clusterer,
        "is_default": clusterer == "ward",
        "level": "clip",
        "n_groups": 3,
        "score": value,
        "low": value - 0.1,
        "high": value + 0.1,
        "p": 0.001,
        "surrogate_p": math.nan,
        "mixing": math.nan,
        "stability_clips": math.nan,
        "stability_blocks": math.nan,
        "structure": math.nan,
        "n_confirmed": math.nan,
    }
