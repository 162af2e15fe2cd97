"""Errors say what, why and what next, and the tree in the docstring is the tree in the code."""

from __future__ import annotations

import pytest

from guestlab import errors

CLASSES = [getattr(errors, name) for name in errors.__all__]


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_every_error_renders_what_why_next_and_evidence(kind: type[errors.GuestlabError]) -> None:
    """One line each, in this order."""
    error = kind("It failed.", why="Because.", next_step="Do this.", evidence=("a fact",))
    assert str(error) == "It failed.\nWhy: Because.\nNext: Do this.\nEvidence: a fact"
    assert isinstance(error, errors.GuestlabError)


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_no_error_can_be_raised_without_a_next_step(kind: type[errors.GuestlabError]) -> None:
    """The signature insists."""
    with pytest.raises(TypeError):
        kind("It failed.")  # type: ignore[call-arg]


def test_the_printed_tree_names_every_class_below_its_parent() -> None:
    """Indentation in the module docstring is inheritance."""
    stack: list[tuple[int, str]] = []
    seen = set()
    for line in (errors.__doc__ or "").splitlines():
        name = next((word for word in line.split() if word in errors.__all__), None)
        if name is None:
            continue
        depth = line.index(name)
        while stack and stack[-1][0] >= depth:
            stack.pop()
        if stack:
            assert issubclass(getattr(errors, name), getattr(errors, stack[-1][1]))
        stack.append((depth, name))
        seen.add(name)
    assert seen == set(errors.__all__)


def test_errors_are_also_what_python_expects() -> None:
    """A wrong argument is a ValueError, an elapsed time a TimeoutError."""
    assert issubclass(errors.RegionError, ValueError)
    assert issubclass(errors.DeadlineError, TimeoutError)
