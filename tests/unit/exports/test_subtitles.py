"""WebVTT and SubRip, read by FFmpeg too."""

from __future__ import annotations

import re
from pathlib import Path

import av
import pytest

from tests.unit.exports.timelines import HOSTILE, export, hostile, plain

ENDINGS = [("vtt", r"\d\d:\d\d:\d\d\.\d{3}"), ("srt", r"\d\d:\d\d:\d\d,\d{3}")]


def test_vtt(tmp_path: Path) -> None:
    files = export("vtt", plain(), tmp_path)
    assert files["clip.vtt"].read_text(encoding="utf-8") == (
        "WEBVTT\n\n"
        "00:00:00.000 --> 00:00:10.000\nlaying bricks\n4 repetitions, one every 2.0 s\n\n"
        "00:00:12.500 --> 00:00:20.040\nC3\n3 repetitions\n"
    )
    assert "00:00:00.000 --> 01:01:01.500\n" in files["cam.1.vtt"].read_text(encoding="utf-8")


def test_srt(tmp_path: Path) -> None:
    assert export("srt", plain(), tmp_path)["clip.srt"].read_text(encoding="utf-8") == (
        "1\n00:00:00,000 --> 00:00:10,000\nlaying bricks\n4 repetitions, one every 2.0 s\n\n"
        "2\n00:00:12,500 --> 00:00:20,040\nC3\n3 repetitions\n"
    )


@pytest.mark.parametrize(("name", "time"), ENDINGS)
def test_a_name_cannot_end_its_cue_or_begin_another(name: str, time: str, tmp_path: Path) -> None:
    text = export(name, hostile(), tmp_path)[f"names.{name}"].read_text(encoding="utf-8")
    cues = text.removeprefix("WEBVTT\n\n").split("\n\n")
    assert len(cues) == len(HOSTILE)
    span = re.compile(f"{time} --> {time}")
    for cue in cues:
        *_, times, payload = cue.rstrip("\n").split("\n")
        assert span.fullmatch(times)
        assert payload.strip()
        assert "-->" not in payload
        assert name == "srt" or not re.search(r"<|>|&(?!amp;|lt;|gt;)", payload)


@pytest.mark.parametrize("name", ["vtt", "srt"])
def test_ffmpeg_finds_every_cue(name: str, tmp_path: Path) -> None:
    for make, clip, cues in ((plain, "clip", 2), (hostile, "names", len(HOSTILE))):
        with av.open(str(export(name, make(), tmp_path / clip)[f"{clip}.{name}"])) as container:
            packets = [packet for packet in container.demux() if packet.pts is not None]
        assert len(packets) == cues
        if make is plain:
            spans = [(packet.pts, packet.duration) for packet in packets]
            assert spans == [(0, 10_000), (12_500, 7_540)]
