"""Attempts over varied inputs: which ones to make, and what came of them. Pure.

A credential and its place are one factor, because neither is anything without the other; the deployment id
and the `Origin` header are the other two. One factor is varied at a time, the others staying at their first
value, or all are crossed. `matrix_run.py` carries a plan out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Self

from guestlab.errors import InputError
from guestlab.handshake.attempt import Attempt, Credential, Placement
from guestlab.handshake.factors import DeploymentWord, OriginWord
from guestlab.handshake.planning import member

if TYPE_CHECKING:
    import pandas as pd

    from guestlab.widgets.matrix_view import MatrixView

__all__ = ["Cell", "Matrix", "MatrixPlan", "Setting", "vary"]

CREDENTIALS = (
    Credential.NONE,
    Credential.CLIENT_CREDENTIALS,
    Credential.GUEST,
    Credential.GARBAGE,
)
PLACEMENTS = (
    Placement.QUERY,
    Placement.HEADER,
    Placement.COOKIE,
    Placement.SUBPROTOCOL,
    Placement.FIRST_FRAME,
)
DEPLOYMENTS = (DeploymentWord.MISSING, DeploymentWord.RIGHT)
ORIGINS = (OriginWord.OWN,)
"""The default plan is the seed question: every credential in every place without a deployment id, and then
the deployment id alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One combination of the factors."""

    credential: str
    placement: str
    deployment: str
    """A word such as "right" or "missing", or an id."""
    origin: str
    """A word such as "own" or "unlisted", or an origin."""

    @property
    def row(self) -> str:
        """The credential and its place, in words."""
        if self.credential == Credential.NONE:
            return "no credential"
        return f"{self.credential} in {self.placement}".replace("_", " ")

    @property
    def column(self) -> str:
        """The deployment id and the origin, in words."""
        origin = "" if self.origin == OriginWord.OWN else f", origin {self.origin}"
        return f"deployment id {self.deployment}{origin}".replace("_", " ")


@dataclass(frozen=True, slots=True)
class MatrixPlan:
    """The settings to try, in order, none twice."""

    settings: tuple[Setting, ...]

    def __len__(self) -> int:
        return len(self.settings)

    def __repr__(self) -> str:
        return f"<MatrixPlan of {len(self)} attempts>"


def vary(
    credentials: Iterable[str] | None = None,
    placements: Iterable[str] | None = None,
    deployments: Iterable[str | None] | None = None,
    origins: Iterable[str | None] | None = None,
    *,
    crossed: bool = False,
) -> MatrixPlan:
    """Plan a matrix.

    >>> len(vary()), len(vary(crossed=True))
    (17, 32)

    Args:
        credentials: As for an attempt; "none" goes nowhere and is tried once.
        placements: Where each of the others is put.
        deployments: Words of `DeploymentWord`, or ids; None means missing, "" empty.
        origins: Words of `OriginWord`, or origins; None means no such header.
        crossed: Every combination, instead of one factor at a time from the first values.

    Raises:
        InputError: An unknown name, an empty factor, or one text where a list is meant.
    """
    pairs = _pairs(
        [member(Credential, name) for name in _listed("credentials", credentials, CREDENTIALS)],
        [member(Placement, name) for name in _listed("placements", placements, PLACEMENTS)],
    )
    ids = [_word(name) for name in _listed("deployments", deployments, DEPLOYMENTS)]
    froms = [
        OriginWord.NONE.value if name is None else str(name) for name in _listed("origins", origins, ORIGINS)
    ]
    triples = (
        [(pair, deployment, origin) for pair in pairs for deployment in ids for origin in froms]
        if crossed
        else [
            *((pair, ids[0], froms[0]) for pair in pairs),
            *((pairs[0], deployment, froms[0]) for deployment in ids),
            *((pairs[0], ids[0], origin) for origin in froms),
        ]
    )
    settings = (
        Setting(credential=credential.value, placement=placement.value, deployment=deployment, origin=origin)
        for (credential, placement), deployment, origin in triples
    )
    return MatrixPlan(tuple(dict.fromkeys(settings)))


def _pairs(credentials: list[Credential], placements: list[Placement]) -> list[tuple[Credential, Placement]]:
    places = [placement for placement in placements if placement is not Placement.NOWHERE]
    if not places and any(credential is not Credential.NONE for credential in credentials):
        raise InputError(
            "There is no place to put the credentials.",
            why="A credential that is put nowhere is not sent.",
            next_step='Give placements, such as placements=["query", "header"].',
        )
    pairs = [
        pair
        for credential in credentials
        for pair in (
            [(credential, Placement.NOWHERE)]
            if credential is Credential.NONE
            else [(credential, placement) for placement in places]
        )
    ]
    return list(dict.fromkeys(pairs))


def _listed(name: str, given: Iterable[Any] | None, default: Sequence[Any]) -> list[Any]:
    if given is None:
        return list(default)
    if isinstance(given, str):
        raise InputError(
            f"{name} is one text.",
            why="A matrix varies a factor over several values, so it is a list.",
            next_step=f"Pass {name}=[{given!r}].",
        )
    values = list(given)
    if not values:
        raise InputError(
            f"{name} is empty.",
            why="With no value of a factor there is nothing to try.",
            next_step=f"Leave {name} out, or give at least one value.",
        )
    return values


def _word(deployment: str | None) -> str:
    if deployment is None:
        return DeploymentWord.MISSING.value
    return str(deployment).strip() or DeploymentWord.EMPTY.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell(Attempt):
    """An attempt, and the setting it was made with."""

    setting: Setting

    @classmethod
    def of(cls, attempt: Attempt, setting: Setting) -> Self:
        """Put an attempt into its place in the matrix."""
        return cls(**{part.name: getattr(attempt, part.name) for part in fields(Attempt)}, setting=setting)

    @property
    def word(self) -> str:
        """What came of it in a word or two: what a heat map writes."""
        if self.ok:
            return "open"
        if self.http_status is not None and self.http_status != 101:
            return f"refused {self.http_status}"
        if self.frame_code is not None:
            return f"refused {self.frame_code} (frame)"
        if self.close_code is not None:
            return f"closed {self.close_code}"
        return f"failed at {self.step}"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Matrix:
    """What came of a plan. Show it in a notebook, print it, or take its `.table`."""

    plan: MatrixPlan
    where: str
    """Where it was measured."""
    cells: tuple[Cell, ...] = field(default=())
    """The attempts made, in the plan's order; each knows its `.setting`."""

    def __repr__(self) -> str:
        opened = sum(cell.ok for cell in self.cells)
        left = len(self.plan) - len(self.cells)
        rest = f", {left} not tried" if left else ""
        return f"<Matrix of {len(self.cells)} attempts: {opened} open, {len(self.cells) - opened} not{rest}>"

    def __str__(self) -> str:
        from guestlab.display import matrix_text

        return matrix_text(self)

    def __len__(self) -> int:
        return len(self.cells)

    def cell(
        self, credential: str, placement: str, deployment: str = "right", origin: str = "own"
    ) -> Cell | None:
        """Find the attempt of one setting, or None when it was not tried."""
        wanted = (str(credential), str(placement), str(deployment), str(origin))
        return next(
            (
                cell
                for cell in self.cells
                if (
                    cell.setting.credential,
                    cell.setting.placement,
                    cell.setting.deployment,
                    cell.setting.origin,
                )
                == wanted
            ),
            None,
        )

    @property
    def answer(self) -> str:
        """What the cells say to the seed question; "" where they do not bear on it."""
        answered = [cell for cell in self.cells if cell.was_answered]
        if self.cells and not answered:
            count = len(self.cells)
            return f"Nothing was measured: {count} of {count} never reached the gateway ({self.where})."
        without = [
            cell
            for cell in answered
            if cell.setting.deployment in {DeploymentWord.MISSING, DeploymentWord.EMPTY}
            and cell.setting.credential != Credential.NONE
        ]
        alone = self.cell("none", "nowhere") or next(
            (
                cell
                for cell in self.cells
                if (cell.setting.credential, cell.setting.deployment)
                == (Credential.NONE, DeploymentWord.RIGHT)
            ),
            None,
        )
        opened = sum(cell.ok for cell in without)
        if without and not opened:
            said = (
                f"No credential in any place opens the guest socket without a deployment id "
                f"({len(without)} of {len(without)} did not)"
            )
        elif without:
            said = f"{opened} of {len(without)} attempts without a deployment id opened the guest socket"
        else:
            said = ""
        if alone is not None and alone.was_answered:
            works = "opens it" if said else "opens the guest socket"
            told = f"the deployment id alone {works if alone.ok else f'does not ({alone.word})'}"
            said = f"{said}; {told}" if said else f"{told[0].upper()}{told[1:]}"
        unanswered = len(self.cells) - len(answered)
        lost = f"; {unanswered} of {len(self.cells)} never reached the gateway" if said and unanswered else ""
        return f"{said}{lost} (measured here: {self.where})." if said else ""

    @property
    def rows(self) -> tuple[str, ...]:
        """The rows of the heat map: credential and place."""
        return tuple(dict.fromkeys(setting.row for setting in self.plan.settings))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the heat map: deployment id and origin."""
        return tuple(dict.fromkeys(setting.column for setting in self.plan.settings))

    def by_place(self) -> dict[tuple[str, str], Cell]:
        """The attempts by (row, column) of the heat map."""
        return {(cell.setting.row, cell.setting.column): cell for cell in self.cells}

    @property
    def table(self) -> pd.DataFrame:
        """One row per attempt, as a DataFrame with fixed dtypes."""
        from guestlab.matrix_table import matrix_table

        return matrix_table(self)

    def view(self) -> MatrixView:
        """The heat map, to click into: a field shows its attempt. Static HTML and text without a kernel."""
        from guestlab.widgets.matrix_view import MatrixView

        return MatrixView(self)

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        return self.view()._repr_mimebundle_(**options)

    def _ipython_display_(self) -> None:
        from guestlab.widgets.view import show

        show(self)
