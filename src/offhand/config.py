"""Configuration: one tree of options with documentation, from a TOML file and ``key=value``."""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import json
import textwrap
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast, get_origin, get_type_hints

import pydantic

from offhand.clustering.alignment import ALIGNMENTS
from offhand.clustering.base import Clusterer
from offhand.clustering.fusion import LateFusion
from offhand.clustering.hdbscan import Hdbscan
from offhand.clustering.ward import Ward
from offhand.errors import ConfigError
from offhand.modalities.base import Modality
from offhand.modalities.base import installed as installed_modalities
from offhand.records import option
from offhand.rhythm import counting
from offhand.segments.base import Segmenter
from offhand.segments.changepoint import ChangePoints
from offhand.segments.window import Windows
from offhand.signals.base import SignalExtractor
from offhand.signals.base import installed as installed_signals

SEGMENTERS: dict[str, type[Any]] = {step.name: step for step in (ChangePoints, Windows)}
CLUSTERERS: dict[str, type[Any]] = {step.name: step for step in (Hdbscan, Ward)}
COUNTINGS: dict[str, type[Any]] = {counting.Counting.name: counting.Counting}
FUSIONS: dict[str, type[Any]] = {LateFusion.name: LateFusion}


@dataclass(frozen=True, kw_only=True)
class General:
    """Options that concern the whole run."""

    seed: int = option(
        0,
        "seed of the random control and of clusterers that draw; the camera fit has its own",
    )
    segmentation: str = option(
        ChangePoints.name, f"how clips are cut into segments: {' or '.join(SEGMENTERS)}"
    )
    clusterer: str = option(
        Ward.name, f"the clusterer that the report leads with: {' or '.join(CLUSTERERS)}"
    )
    alignment: str = option(
        "none",
        f"remedy for features that tell clips apart: {', '.join(ALIGNMENTS)}, or auto for the one "
        "whose clusters the other modalities confirm best",
    )
    modalities: tuple[str, ...] = option((), "modalities to use; empty for all that are installed")
    signals: tuple[str, ...] = option(
        ("hands",),
        "signals to measure beside those that segmentation, counting and modalities read",
    )
    download: bool = option(
        False, "fetch model weights that are missing; otherwise nothing is ever fetched"
    )

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise ValueError(f"seed is {self.seed}, must be at least 0")


@dataclass(frozen=True, kw_only=True)
class Config:
    """The effective configuration: every step with its options.

    Attributes
    ----------
    general
        Options of the run.
    signals, segmenters, modalities, clusterers
        The configured steps by name.
    fusion
        How modalities are joined.
    counting
        How repetitions are counted.
    """

    general: General
    signals: dict[str, SignalExtractor]
    segmenters: dict[str, Segmenter]
    modalities: dict[str, Modality]
    clusterers: dict[str, Clusterer]
    fusion: LateFusion
    counting: counting.Counting

    @property
    def segmenter(self) -> Segmenter:
        """The segmentation chosen."""
        return self.segmenters[self.general.segmentation]

    @property
    def used_modalities(self) -> tuple[Modality, ...]:
        """The modalities chosen."""
        names = self.general.modalities or list(self.modalities)
        return tuple(self.modalities[name] for name in names)

    @property
    def required_signals(self) -> frozenset[str]:
        """Names of the signals that no step can do without, and of those wanted for themselves."""
        names = {*self.segmenter.signals, *counting.SIGNALS, *self.general.signals}
        names.update(*(modality.signals for modality in self.used_modalities))
        return frozenset(names)

    @property
    def used_signals(self) -> tuple[SignalExtractor, ...]:
        """The signals that some step reads, and those wanted for themselves."""
        optional = (modality.optional_signals for modality in self.used_modalities)
        names = self.required_signals.union(*optional)
        return tuple(step for name, step in self.signals.items() if name in names)

    def with_hands(self, how: str) -> Config:
        """Return the configuration with hands looked for as told.

        Parameters
        ----------
        how
            ``off``, or a value of the option ``signals.hands.coverage``.
        """
        others = tuple(name for name in self.general.signals if name != "hands")
        signals = self.signals
        if how != "off":
            others = (*others, "hands")
            coverage: Any = {"coverage": how}
            signals = {**signals, "hands": replace(cast(Any, signals["hands"]), **coverage)}
        return replace(self, general=replace(self.general, signals=others), signals=signals)


def load(file: str | Path | None = None, overrides: Sequence[str] = ()) -> Config:
    """Build the configuration from defaults, a TOML file, and ``section.key=value`` overrides.

    Parameters
    ----------
    file
        TOML file; ``None`` for defaults.
    overrides
        Such as ``signals.motion.rate_hz=10``; they win over the file.

    Raises
    ------
    ConfigError
        The file cannot be read, a key is unknown, or a value is of the wrong kind.
    """
    values: dict[str, Any] = {}
    if file is not None:
        try:
            tree = tomllib.loads(Path(file).read_text(encoding="utf-8"))
        except OSError as error:
            raise ConfigError(f"{file}: cannot be read ({error.strerror or error})") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{file}: not valid TOML ({error})") from error
        values.update(_flat(tree))
    for override in overrides:
        key, equals, text = override.partition("=")
        if not equals:
            raise ConfigError(f"--set {override}: expected section.key=value")
        values[key.strip()] = text.strip()
    return _build(values)


def to_toml(config: Config) -> str:
    """Return the configuration as TOML, each option under a comment that explains it."""
    lines = []
    for section, step in _sections(config):
        lines.append(f"[{section}]")
        for field in dataclasses.fields(step):
            doc = field.metadata.get("doc", "")
            lines += [f"# {line}" for line in textwrap.wrap(doc, 96)]
            lines += _toml_lines(field.name, getattr(step, field.name))
        lines.append("")
    return "\n".join(lines)


def _toml_lines(name: str, value: Any) -> list[str]:
    """Return the lines of one option; a long list has a line for each entry."""
    line = f"{name} = {_toml_value(value)}"
    if len(line) <= 100 or not isinstance(value, tuple):
        return [line]
    return [f"{name} = [", *(f"    {_toml_value(entry)}," for entry in value), "]"]


def _toml_value(value: Any) -> str:
    """Return an option's value in TOML, which writes ``inf`` and ``nan`` in small letters."""
    if isinstance(value, float):
        return repr(value)
    return json.dumps(value, ensure_ascii=False)


def _classes() -> dict[str, dict[str, type[Any]]]:
    return {
        "signals": dict(installed_signals()),
        "segments": SEGMENTERS,
        "modalities": dict(installed_modalities()),
        "clustering": CLUSTERERS,
        "fusion": FUSIONS,
        "counting": COUNTINGS,
    }


def _sections(config: Config) -> Iterator[tuple[str, Any]]:
    yield "general", config.general
    groups: dict[str, Mapping[str, Any]] = {
        "signals": config.signals,
        "segments": config.segmenters,
        "modalities": config.modalities,
        "clustering": config.clusterers,
        "fusion": {LateFusion.name: config.fusion},
        "counting": {counting.Counting.name: config.counting},
    }
    for group, steps in groups.items():
        for name, step in steps.items():
            yield f"{group}.{name}", step


def _build(values: Mapping[str, Any]) -> Config:
    classes = _classes()
    tree: dict[str, type[Any]] = {"general": General}
    for group, steps in classes.items():
        tree.update({f"{group}.{name}": step for name, step in steps.items()})
    known = [
        f"{section}.{f.name}" for section, step in tree.items() for f in dataclasses.fields(step)
    ]
    for key in values:
        if key not in known:
            close = difflib.get_close_matches(key, known, n=3, cutoff=0.4)
            hint = f"; did you mean {' or '.join(close)}?" if close else ""
            raise ConfigError(f"unknown configuration key {key!r}{hint} (see: offhand config)")
    made = {section: _make(section, step, values) for section, step in tree.items()}
    general = made["general"]
    _check("general.segmentation", general.segmentation, SEGMENTERS)
    _check("general.clusterer", general.clusterer, CLUSTERERS)
    _check("general.alignment", general.alignment, dict.fromkeys((*ALIGNMENTS, "auto")))
    for name in general.modalities:
        _check("general.modalities", name, classes["modalities"])
    for name in general.signals:
        _check("general.signals", name, classes["signals"])
    groups = {
        group: {name: made[f"{group}.{name}"] for name in steps} for group, steps in classes.items()
    }
    return Config(
        general=general,
        signals=groups["signals"],
        segmenters=groups["segments"],
        modalities=groups["modalities"],
        clusterers=groups["clustering"],
        fusion=groups["fusion"][LateFusion.name],
        counting=groups["counting"][counting.Counting.name],
    )


def _check(key: str, name: str, allowed: Mapping[str, Any]) -> None:
    if name not in allowed:
        raise ConfigError(f"{key} is {name!r}; allowed: {', '.join(allowed)}")


def _make(section: str, step: type[Any], values: Mapping[str, Any]) -> Any:
    """Make a step's dataclass from the values that name its fields."""
    hints = get_type_hints(step)
    options = {}
    for field in dataclasses.fields(step):
        key = f"{section}.{field.name}"
        if key not in values:
            continue
        value = values[key]
        try:
            options[field.name] = _coerced(value, hints[field.name])
        except pydantic.ValidationError as error:
            reason = error.errors()[0]["msg"]
            raise ConfigError(f"{key} is {value!r}: {reason}") from error
    try:
        return step(**options)
    except ValueError as error:
        raise ConfigError(f"[{section}] {error}") from error


def _coerced(value: Any, kind: Any) -> Any:
    """Turn a TOML value, or the text of an override, into the type of an option.

    Strictly: ``true`` is no number, and 7.0 no integer.
    """
    if isinstance(value, str) and kind not in (str,):
        with contextlib.suppress(tomllib.TOMLDecodeError):  # plain text, such as a method's name
            value = tomllib.loads(f"value = {value}")["value"]
    if get_origin(kind) is tuple:
        listed = [part for part in value.split(",") if part] if isinstance(value, str) else value
        value = tuple(listed) if isinstance(listed, list) else value
    return pydantic.TypeAdapter(kind).validate_python(value, strict=True)


def _flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            flat.update(_flat(value, f"{name}."))
        else:
            flat[name] = value
    return flat
