"""Inputs by Hypothesis: the seeds of a target, cut, doubled, spliced, overwritten and strewn with its words.

The engine of the test suite, and of a longer run where atheris is not installed.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.fuzzing.target import Finding, found_by

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fuzzing.target import Target

__all__ = ["inputs", "search"]

_BATCH = 200


@st.composite
def inputs(draw: st.DrawFn, target: Target) -> bytes:
    """A seed of the target, changed at a few places; now and then bytes of no origin."""
    seeds = target.seeds()
    if draw(st.integers(0, 19)) == 0:
        return draw(st.binary(max_size=200))
    data = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(0, 5))):
        data = draw(_changed(target, data))[: 4 * target.longest]
    return data


@st.composite
def _changed(draw: st.DrawFn, target: Target, data: bytes) -> bytes:
    start = draw(st.integers(0, len(data)))
    end = min(len(data), start + draw(st.sampled_from((0, 1, 2, 4, 8, 32, 200))))
    new: Callable[[], bytes] = {
        "cut": lambda: b"",
        "word": lambda: draw(st.sampled_from(target.words)) if target.words else b"\0",
        "bytes": lambda: draw(st.binary(max_size=4)),
        "double": lambda: data[start:end] * draw(st.sampled_from((2, 3, 50))),
        "splice": lambda: draw(st.sampled_from(target.seeds()))[start:],
        "end": lambda: b"",
    }[kind := draw(st.sampled_from(("cut", "word", "word", "bytes", "double", "splice", "end")))]
    return data[:start] + new() + (b"" if kind in {"splice", "end"} else data[end:])


def search(
    target: Target, *, examples: int, number: int, until: float | None = None
) -> tuple[int, list[Finding]]:
    """Feed generated inputs; return how many, and what they found, one finding per place.

    Args:
        target: What is fed.
        examples: At most how many inputs.
        number: The seed: the same number generates the same inputs.
        until: A moment of `time.monotonic()` to stop at.
    """
    found: dict[str, Finding] = {}
    count = 0
    while count < examples and (until is None or time.monotonic() < until):

        @seed(number + count)
        @settings(
            max_examples=min(_BATCH, examples - count), deadline=None, database=None, phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(inputs(target))
        def feed(data: bytes) -> None:
            finding = found_by(target, data)
            if finding is not None:
                found.setdefault(finding.where, finding)

        feed()
        count += min(_BATCH, examples - count)
    return count, list(found.values())
