"""The signal ``hands``: where a detector sees hands, and where a tracker carries them on."""

from offhand.signals.hands.extractor import Hands

__all__ = ["Hands"]
