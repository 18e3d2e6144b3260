"""What a run found, in a few lines for a terminal."""

from __future__ import annotations

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from offhand.store.workspace import Workspace


def print_summary(workspace: Workspace) -> tuple[int, int]:
    """Print what was found; return how many clips failed, and how many there were."""
    clips, segments = workspace.table("clips"), workspace.table("segments")
    scores = workspace.table("consistency")
    console = Console()
    failed = clips[clips["status"] == "failed"]
    good = clips[clips["status"] != "failed"]
    console.print(f"{len(good)} clips, {_seconds(good) / 60:.1f} min, {len(segments)} segments")
    bouts = workspace.table("repetitions")
    trusted = bouts[bouts["accepted"].astype(bool)]
    console.print(
        f"{trusted['count'].sum()} repetitions in {len(trusted)} bouts, "
        f"{len(bouts) - len(trusted)} stretches refused"
    )
    evidence = workspace.table("evidence")
    evidence = evidence[evidence["level"] == "clip"].set_index(["modality", "clusterer"])
    table = Table("modality", "clusterer", "clusters", "noise", "score (95 %)", "p")
    found = scores[~scores["modality"].str.startswith("control:")]
    fused = workspace.table("fusion")
    unseen = set(fused["modality"][fused["described"] == 0])
    for row in found[~found["modality"].isin(unseen)].to_dict("records"):
        proof = evidence.loc[(row["modality"], row["clusterer"])]
        table.add_row(
            row["modality"],
            row["clusterer"] + (" *" if row["is_default"] else ""),
            str(row["n_clusters"]),
            f"{row['noise_share']:.0%}",
            f"{_number(proof['score'])} ({_number(proof['low'])} to {_number(proof['high'])})",
            _number(proof["p"], digits=3),
        )
    if len(good):
        console.print(table)
        console.print("* the clusterer that the report leads with", style="dim")
        control = evidence[evidence.index.get_level_values(0).str.startswith("control:")]["score"]
        console.print(
            f"score: activities shared across clips, 0 is chance; the best control, which means "
            f"nothing, has {_number(control.max())}",
            style="dim",
        )
    for name in sorted(unseen):
        console.print(f"{name}: not observable here, no segment could be described")
    for row in clips[clips["status"] != "ok"].to_dict("records"):
        name, error = escape(row["clip_id"]), escape(row["error"])
        console.print(f"[bold]{name}[/bold] {row['status']}: {error}")
    console.print(f"report: {escape(str(workspace.report_path))}", soft_wrap=True)
    return len(failed), len(clips)


def _number(value: float, *, digits: int = 2) -> str:
    return f"{value:.{digits}f}" if value == value else "-"


def _seconds(clips: pd.DataFrame) -> float:
    """Return the length of what was analysed."""
    return float((clips["duration_s"] - clips["from_s"]).sum())
