"""Many sessions in one process: what the benchmark counts, and what it says where a system is too small."""

from __future__ import annotations

import resource

import pytest

from guestlab.bench.scale import files_needed, scale
from guestlab.errors import InputError


def test_scale_measures_cpu_and_memory_of_each_session() -> None:
    """Three sessions against two, in processes of their own."""
    outcome = scale(pairs=1, few=2, many=3)
    assert [row.name for row in outcome.rows] == [
        "CPU milliseconds per session",
        "memory, kilobytes, per session",
    ]
    assert [row.facts["pairs"] for row in outcome.rows] == [1, 1]
    assert "3 sessions in one process against 2" in outcome.promise


def test_the_soft_limit_of_open_files_is_raised_as_far_as_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """And left alone where it suffices."""
    limits = [(256, 4096)]
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits[-1])
    monkeypatch.setattr(resource, "setrlimit", lambda _, both: limits.append(both))
    assert files_needed(2000) == 2100
    assert limits[-1] == (2100, 4096)
    assert files_needed(100) == 2100
    assert len(limits) == 2


def test_a_hard_limit_below_what_is_needed_is_said_before_anything_is_opened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What, why, and what to do."""
    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, 1024))
    with pytest.raises(InputError, match="2,100 open files") as error:
        files_needed(2000)
    assert "ulimit" in str(error.value)
