"""The workspace on disk: what is computed, and whether it is still valid."""

from offhand.store.workspace import Workspace

__all__ = ["Workspace"]
