"""Every target by its name: all that guestlab reads from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fuzzing import file_targets, reply_targets, text_targets, wire_targets

if TYPE_CHECKING:
    from tests.fuzzing.target import Target

__all__ = ["TARGETS"]

TARGETS: dict[str, Target] = {
    target.name: target
    for room in (wire_targets, reply_targets, file_targets, text_targets)
    for target in room.TARGETS
}
