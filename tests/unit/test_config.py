"""Configuration from defaults, a file, and overrides."""

from __future__ import annotations

import dataclasses
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from offhand import config as module
from offhand.clustering.hdbscan import Hdbscan
from offhand.config import Config, load, to_toml
from offhand.errors import ConfigError
from offhand.records import option


def write(folder: Path, text: str) -> Path:
    path = folder / "offhand.toml"
    path.write_text(text, encoding="utf-8")
    return path


def steps(config: Config) -> list[object]:
    groups = (config.signals, config.segmenters, config.modalities, config.clusterers)
    return [config.general, *(step for group in groups for step in group.values())]


def test_defaults_are_those_of_the_steps() -> None:
    config = load()
    for step in steps(config):
        assert step == type(step)()
    assert config.segmenter is config.segmenters["changepoint"]
    assert {step.name for step in config.used_modalities} == set(config.modalities)
    assert "motion" in config.required_signals
    optional = {step.name for step in config.used_signals} - config.required_signals
    assert optional == {"video"}


def test_every_option_has_documentation() -> None:
    for step in steps(load()):
        for field in dataclasses.fields(step):
            assert field.metadata.get("doc"), f"{type(step).__name__}.{field.name}"


def test_a_file_sets_options(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
        [general]
        seed = 5
        modalities = ["ego_motion"]
        [segments.changepoint]
        penalty = 12
        [clustering.hdbscan]
        selection = "eom"
        """,
    )
    config = load(path)
    assert config.general.seed == 5
    assert [step.name for step in config.used_modalities] == ["ego_motion"]
    assert config.segmenters["changepoint"].penalty == 12.0
    assert config.clusterers["hdbscan"].selection == "eom"
    assert load(str(path)) == config


def test_overrides_win_over_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, "general.seed = 5\nsegments.window.length_s = 3.0")
    config = load(path, ["general.seed=6", "general.seed = 7 "])
    assert config.general.seed == 7
    assert config.segmenters["window"].length_s == 3.0


@pytest.mark.parametrize(
    ("override", "section", "name", "value"),
    [
        ("signals.motion.rate_hz=10", "signals.motion", "rate_hz", 10.0),
        ("signals.motion.rate_hz=1e1", "signals.motion", "rate_hz", 10.0),
        ("signals.motion.lens=equidistant", "signals.motion", "lens", "equidistant"),
        ('signals.motion.lens="equidistant"', "signals.motion", "lens", "equidistant"),
        ("general.segmentation=window", "general", "segmentation", "window"),
        ('general.modalities=["ego_motion"]', "general", "modalities", ("ego_motion",)),
        ("general.modalities=ego_motion", "general", "modalities", ("ego_motion",)),
        (
            "general.modalities=ego_motion,flow_rhythm",
            "general",
            "modalities",
            ("ego_motion", "flow_rhythm"),
        ),
        ("general.modalities=[]", "general", "modalities", ()),
    ],
)
def test_text_becomes_the_options_kind(
    override: str, section: str, name: str, value: object
) -> None:
    config = load(overrides=[override])
    step = config.general if section == "general" else config.signals["motion"]
    assert getattr(step, name) == value
    assert type(getattr(step, name)) is type(value)


@pytest.mark.parametrize(
    ("key", "close"),
    [
        ("segments.changepoint.penalti", "segments.changepoint.penalty"),
        ("changepoint.penalty", "segments.changepoint.penalty"),
        ("general.sed", "general.seed"),
        ("segments.changepoint", "segments.changepoint."),
    ],
)
def test_an_unknown_key_names_close_ones(tmp_path: Path, key: str, close: str) -> None:
    with pytest.raises(ConfigError, match=f"(?s)'{key}'.*did you mean.*{close}"):
        load(overrides=[f"{key}=1"])
    with pytest.raises(ConfigError, match=f"(?s)'{key}'.*did you mean.*{close}"):
        load(write(tmp_path, f"{key} = 1"))


def test_nothing_close_is_named_for_nonsense() -> None:
    with pytest.raises(ConfigError, match=r"'x'.*offhand config") as caught:
        load(overrides=["x=1"])
    assert "did you mean" not in str(caught.value)


@pytest.mark.parametrize(
    "override",
    [
        "general.seed=1.5",
        "general.seed=true",
        "general.seed=many",
        "general.seed=[1]",
        "general.seed=",
        "signals.motion.rate_hz=fast",
        "signals.motion.rate_hz=true",
        "signals.motion.lens=round",
        "clustering.hdbscan.selection=1",
        "general.modalities=3",
        "general.modalities=[1]",
        "general.modalities=true",
    ],
)
def test_a_value_of_the_wrong_kind_is_refused(override: str) -> None:
    key, _, value = override.partition("=")
    with pytest.raises(ConfigError, match=f"{key} is .*{value.strip('[]')}"):
        load(overrides=[override])


def test_a_value_of_the_wrong_kind_in_a_file_is_refused(tmp_path: Path) -> None:
    for line in ("general.segmentation = 3", "general.seed = true", "general.modalities = [1]"):
        with pytest.raises(ConfigError, match=r"general\.\w+ is "):
            load(write(tmp_path, line))


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("segments.changepoint.min_s=0", r"\[segments.changepoint\] min_s is 0"),
        ("segments.changepoint.min_s=nan", "min_s is nan"),
        ("clustering.hdbscan.min_cluster_size=1", "must be 0 or above 1"),
        ("clustering.ward.max_clusters=1", "at least 2"),
        ("general.segmentation=scenes", "'scenes'; allowed: changepoint, window"),
        ("general.clusterer=kmeans", "'kmeans'; allowed: hdbscan, ward"),
        ('general.modalities=["smell"]', "'smell'; allowed: body_pose, ego_motion"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused(override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load(overrides=[override])


def test_an_override_without_equals_sign_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"expected section\.key=value"):
        load(overrides=["general.seed"])


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent\.toml: cannot be read"):
        load(tmp_path / "absent.toml")
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path)
    with pytest.raises(ConfigError, match="not valid TOML"):
        load(write(tmp_path, "[general"))
    (tmp_path / "latin.toml").write_bytes(b"# caf\xe9")
    with pytest.raises(ConfigError, match="not valid TOML"):
        load(tmp_path / "latin.toml")


@pytest.mark.parametrize(
    "overrides",
    [
        [],
        [
            "general.seed=3",
            "general.modalities=ego_motion",
            "segments.changepoint.heading_weight=inf",
            "signals.motion.rate_hz=1e-7",
            "clustering.hdbscan.selection=eom",
        ],
    ],
)
def test_toml_round_trips(tmp_path: Path, overrides: list[str]) -> None:
    config = load(overrides=overrides)
    assert load(write(tmp_path, to_toml(config))) == config


def test_toml_documents_each_option() -> None:
    text = to_toml(load())
    lines = text.splitlines()
    for index, line in enumerate(lines):
        if " = " in line and not line.startswith("#"):
            assert lines[index - 1].startswith("# ")
    assert set(tomllib.loads(text)) == {
        "general",
        "signals",
        "segments",
        "counting",
        "modalities",
        "clustering",
        "fusion",
    }
    assert max(map(len, lines)) <= 100


@dataclass(frozen=True, kw_only=True)
class Odd(Hdbscan):
    """A step with options of kinds that the built-in ones lack."""

    name: ClassVar[str] = "odd"

    title: str = option('a "quoted" \\ title 🔨', "any text")
    careful: bool = option(False, "yes or no")


def test_options_of_other_kinds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(module.CLUSTERERS, "odd", Odd)
    config = load()
    assert load(write(tmp_path, to_toml(config))) == config
    config = load(overrides=["clustering.odd.careful=true", "clustering.odd.title=7"])
    assert config.clusterers["odd"].careful is True
    assert config.clusterers["odd"].title == "7"
    for wrong in ("1", "yes", "True"):
        with pytest.raises(ConfigError, match="careful is"):
            load(overrides=[f"clustering.odd.careful={wrong}"])
