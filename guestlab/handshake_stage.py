"""The lab's handshakes: what a word for a credential, a deployment or an origin means here, and one attempt.

Stage three of `Lab` is a face over this, as stage one is over `token_stage`. What a guest socket is asked
with is decided here; how the attempt is made, step by step, stands in `handshake.perform`.
"""

from __future__ import annotations

import itertools
import secrets
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from guestlab.errors import InputError
from guestlab.handshake.attempt import Attempt, Credential, Placement
from guestlab.handshake.factors import DeploymentWord, OriginWord, deployment_of, origin_of, other_region
from guestlab.handshake.perform import perform
from guestlab.handshake.planning import address, check_attempt, make_plan
from guestlab.matrix_run import AT_ONCE, AT_ONCE_ON_LOOPBACK, run_matrix
from guestlab.platform_api import PlatformApi
from guestlab.preflight import allowed_domains
from guestlab.regions import Region

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from guestlab.handshake.matrix import Cell, Matrix, MatrixPlan, Setting
    from guestlab.http import Client
    from guestlab.log import Log
    from guestlab.matrix_run import Cancel
    from guestlab.token_stage import Tokens

__all__ = ["THE_LABS_OWN", "Handshakes"]

THE_LABS_OWN = "the lab's own"
"""Stands for the lab's deployment id where None and "" mean leaving it out and sending it empty."""


_OF_DEPLOYMENT = frozenset(
    {"allowed_domains", "allow_all_domains", "deployment_status", "region_of_deployment"}
)
"""What a preflight finds that a diagnosis can use."""


class Handshakes:
    """Every attempt of one lab.

    Args:
        region: Where the guest socket is.
        log: Where attempts are recorded.
        tokens: The lab's tokens, for attempts that carry one.
        http: What gives the lab's HTTP client.
        deployment_id: The lab's deployment; "" if it knows none.
        origin: The lab's `Origin` header.
        add_inactive: Makes an inactive deployment and returns its id, where that can be done.
    """

    def __init__(
        self,
        region: Region,
        log: Log,
        tokens: Tokens,
        *,
        http: Callable[[], Client],
        deployment_id: str,
        origin: str | None,
        add_inactive: Callable[[], str] | None,
    ) -> None:
        self._region, self._log, self._tokens, self._http = region, log, tokens, http
        self.deployment_id, self.origin = deployment_id, origin
        self._add_inactive = add_inactive
        self._numbers = itertools.count(1)
        self._spent: str | None = None
        self._inactive: str | None = None
        self._domains: tuple[str, ...] | None = None
        self._known: dict[str, Any] = {}

    def __repr__(self) -> str:
        return f"<Handshakes at {self._region.name}, deployment {self.deployment_id or 'not given'}>"

    def own_deployment(self) -> str:
        """Return the lab's deployment id.

        Raises:
            InputError: The lab was made without one.
        """
        if self.deployment_id:
            return self.deployment_id
        raise InputError(
            "The deployment id is missing.",
            why="It is what the guest socket asks for: every handshake names a messenger deployment.",
            next_step="Pass gl.Lab(region, deployment_id=...); see Admin > Message > Messenger Deployments.",
        )

    async def attempt(
        self,
        credential: Credential,
        placement: Placement,
        *,
        deployment_id: str | None = THE_LABS_OWN,
        origin: str | None = None,
        url: str | None = None,
        headers: Mapping[str, str] | None = None,
        subprotocols: Any = (),
        first_frame: Mapping[str, Any] | str | None = None,
        real_token: bool = False,
        parameter: str = "access_token",
        proxy: str | None = None,
    ) -> Attempt:
        """Make one attempt; the arguments are those of `Lab.attempt`."""
        check_attempt(
            credential=credential,
            placement=placement,
            url=url,
            deployment_id=deployment_id,
            subprotocols=subprotocols,
            headers=headers or {},
            parameter=parameter,
        )
        deployment_id, region = self._deployment(deployment_id, given_url=url is not None)
        guest_token = str(uuid4())  # every attempt is a guest of its own
        self._log.learn(guest_token)
        secret = await self._secret(credential, guest_token, real_token=real_token)
        plan = make_plan(
            address(region, deployment_id) if url is None else url,
            credential=credential,
            placement=placement,
            secret=secret,
            origin=await self._origin(origin) if origin is not None else self.origin,
            headers=dict(headers or {}),
            subprotocols=subprotocols,
            first_frame=first_frame
            if first_frame is not None
            else {
                "action": "configureSession",
                "deploymentId": deployment_id or self.deployment_id,
                "token": secret if placement is Placement.FIRST_FRAME and secret else guest_token,
                "tracingId": str(uuid4()),
            },
            parameter=parameter,
        )
        number, ca_file = next(self._numbers), region.ca_file
        own = url is None and deployment_id == self.deployment_id and region is self._region
        facts = self._known if own else None
        return await perform(plan, self._log, number=number, ca_file=ca_file, proxy=proxy, facts=facts)

    async def matrix(
        self,
        plan: MatrixPlan,
        *,
        where: str,
        real_token: bool,
        progress: Callable[[int, int], object] | None,
        cancel: Cancel | None,
        on_cell: Callable[[Cell], object] | None = None,
    ) -> Matrix:
        """Make the attempts of a plan, some at once; `on_cell` is told of each when it is over."""

        async def attempt(setting: Setting) -> Attempt:
            return await self.attempt(
                Credential(setting.credential),
                Placement(setting.placement),
                deployment_id=setting.deployment,
                origin=setting.origin,
                real_token=real_token,
            )

        for name in dict.fromkeys(setting.credential for setting in plan.settings):
            await self._secret(Credential(name), str(uuid4()), real_token=real_token)  # asked for once
        at_once = AT_ONCE_ON_LOOPBACK if self._region.is_loopback else AT_ONCE
        return await run_matrix(
            plan, attempt, where=where, at_once=at_once, progress=progress, cancel=cancel, on_cell=on_cell
        )

    async def allowed_domains(self) -> tuple[str, ...]:
        """Read the deployment's allowed domains from its public `domains.json`, once."""
        if self._domains is None and self.deployment_id:
            self._domains = await allowed_domains(self._http(), self._region, self.deployment_id)
            if self._domains:
                self._known.setdefault("allowed_domains", self._domains)
        return self._domains or ()

    def learn(self, facts: Mapping[str, Any]) -> None:
        """Keep what was looked up about the lab's deployment: every later diagnosis may use it."""
        self._known = {name: value for name, value in facts.items() if name in _OF_DEPLOYMENT}

    # -- what the words mean here -----------------------------------------------------------------------

    def _deployment(self, text: str | None, *, given_url: bool) -> tuple[str | None, Region]:
        """What a text for the deployment id means: an id, and the region it goes to."""
        if text == THE_LABS_OWN:
            return (self.deployment_id or None) if given_url else self.own_deployment(), self._region
        if text not in set(DeploymentWord):
            return text, self._region
        if text == DeploymentWord.INACTIVE and self._inactive is None and self._add_inactive is not None:
            self._inactive = self._add_inactive()
        target = deployment_of(
            text,
            own=self.own_deployment,
            fresh=lambda: str(uuid4()),
            inactive=self._inactive,
            loopback=self._region.is_loopback,
        )
        if not target.elsewhere:
            return target.deployment_id, self._region
        return target.deployment_id, Region(other_region(self._region.name), tls=self._region.tls)

    async def _origin(self, text: str) -> str | None:
        """What a word for the `Origin` header means here; any other text is sent as it is."""
        if text not in set(OriginWord):
            return text
        domains = await self.allowed_domains() if self.origin is None else ()
        return origin_of(text, own=self.origin, domains=domains)

    async def _secret(self, credential: Credential, guest_token: str, *, real_token: bool) -> str | None:
        """Return the credential's value to send, learnt by the log before it goes anywhere."""
        if credential is Credential.NONE:
            return None
        if credential is Credential.GUEST:
            return guest_token
        value = await self._value(credential, real=self._region.is_loopback or real_token)
        self._log.learn(value)
        return value

    async def _value(self, credential: Credential, *, real: bool) -> str:
        if credential is Credential.GARBAGE:
            return secrets.token_urlsafe(32)
        if credential in {Credential.AUTHORIZATION_CODE, Credential.PKCE}:
            held = await self._tokens.users_secret(self._http(), credential, real=real)
            return held or self._decoy(credential)
        if real and self._tokens.has_client and credential is Credential.CLIENT_CREDENTIALS:
            return (await self._tokens.issued(self._http())).value
        if real and self._tokens.has_client and credential is Credential.EXPIRED:
            self._spent = self._spent or await self._unusable()
            return self._spent
        return self._decoy(credential)

    def _decoy(self, credential: Credential) -> str:
        """Make something of a token's shape, and say so in the log."""
        self._log.record(
            "note", stage="handshake", note=f"A decoy of a token's shape stands in for {credential.value}."
        )
        return f"decoy-{secrets.token_urlsafe(32)}"

    async def _unusable(self) -> str:
        """Have a token of its own issued, and revoke it: it ends as one whose time is over does."""
        flow = self._tokens.client_credentials()
        await flow.issue(self._http())
        assert flow.token is not None
        await PlatformApi(self._http(), flow).request("DELETE", "/api/v2/tokens/me", stage="token")
        return flow.token.value
