"""The signal ``motion``: dense flow, camera motion, and what the camera does not explain."""

from offhand.signals.motion.extractor import CHANNELS, Motion

__all__ = ["CHANNELS", "Motion"]
