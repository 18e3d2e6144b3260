"""Stage 3 as a whole: counting, and following the rhythm, which need not wait for each other."""

from __future__ import annotations

from collections.abc import Callable

from offhand.stages.count import CountTask, count
from offhand.stages.follow import FollowTask, follow


def count_or_follow(task: CountTask | FollowTask, report: Callable[[float], None]) -> None:
    """Do one of the two."""
    return count(task, report) if isinstance(task, CountTask) else follow(task, report)
