"""Errors of the world outside the caller's control: one base class, one subclass a place.

A caller's mistake (a wrong argument) raises ``ValueError`` or ``TypeError`` instead.
"""


class OffhandError(Exception):
    """Base of every error offhand raises on purpose; its message says what to do."""


class VideoError(OffhandError):
    """A clip cannot be read."""


class SignalError(OffhandError):
    """A signal cannot be computed from a clip that does decode."""


class StoreError(OffhandError):
    """A workspace cannot be read or written."""


class WeightsError(OffhandError):
    """Model weights are damaged, or not of the kind that a model needs."""


class WeightsMissing(WeightsError):
    """Model weights, or the packages that run them, are not on this machine."""


class ConfigError(OffhandError):
    """The configuration names something unknown or holds a value of the wrong kind."""


class ExportError(OffhandError):
    """A result cannot be written in a format."""
