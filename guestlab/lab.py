"""The lab: the one object a notebook holds, with three stages: token, conversation, handshake.

Every verb blocks and is a thin face over the bridge; what it does lives a layer below (`tokens`,
`platform_api`, `handshake`, `session`). Without arguments the lab starts an embedded sandbox and owns it;
with a region it does the same things there.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self, TypeVar, overload

from guestlab.authorization_code import REDIRECT_URI
from guestlab.blocking import Session
from guestlab.blocking_channel import Channel
from guestlab.blocking_platform import Platform
from guestlab.bridge import bridge
from guestlab.channel import NotificationChannel
from guestlab.conversation_stage import converse, converse_as_asked
from guestlab.customer import Customer
from guestlab.errors import GuestlabError, InputError, PlatformError
from guestlab.handshake.attempt import Attempt, Credential, Placement
from guestlab.handshake.matrix import Matrix, vary
from guestlab.handshake.planning import member
from guestlab.handshake_stage import THE_LABS_OWN, Handshakes
from guestlab.http import Client
from guestlab.limits import PUBLISHED, Limits
from guestlab.log import Log
from guestlab.matrix_run import ask_first
from guestlab.platform_api import Conversation, PlatformApi
from guestlab.platform_operations import LABS_OWN_WRITES
from guestlab.preflight import Preflight, run_preflight
from guestlab.regions import Region
from guestlab.secret_sources import resolved
from guestlab.session import GuestSession
from guestlab.token_stage import Tokens
from guestlab.transcripts import SOURCES, Transcript, collect, conversation_of

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Sequence
    from pathlib import Path
    from types import TracebackType

    from pandas import DataFrame

    from guestlab.authorization_code import AuthorizationCode
    from guestlab.display import View
    from guestlab.drill_scores import Scores
    from guestlab.drills import Drill
    from guestlab.matrix_run import Cancel, Confirm
    from guestlab.sandbox import Sandbox
    from guestlab.scripted import Outcome, Script
    from guestlab.secret_sources import Secret
    from guestlab.tokens import AccessToken
    from guestlab.widgets.budget_view import BudgetView
    from guestlab.widgets.stepper import Stepper

__all__ = ["Lab"]

T = TypeVar("T")

STAGES = ("token", "conversation", "handshake")


class Lab:
    """Token, conversation, handshake: against the embedded sandbox, or a region of your own.

    >>> with Lab() as lab:                                                   # doctest: +SKIP
    ...     lab.handshake_as_asked()
    ...     lab.handshake()

    Args:
        region: A `Region`, a domain, an AWS name or any URL of it. None starts the embedded sandbox; where
            GUESTLAB_SANDBOX_SEED is set, with that seed, so that a whole class sees the same ids.
        deployment_id: The messenger deployment's UUID; needed for the handshake that works and sessions.
        client_id: An OAuth client's id; needed for the token and conversation stages only.
        client_secret: Its secret, or what gives it when it is needed, such as `secret_sources.from_prompt()`.
            Never shown, never logged.
        access_token: A token you already have, in place of an OAuth client; or what gives it.
        origin: The `Origin` header, for a deployment that restricts its domains.
        ca_file: PEM file of certificate authorities to trust beside the system's, such as a company's.
        log: A log to write into; a fresh one by default.
        journal: A file that does not exist yet, or a folder: the log is written there too, line by line, and
            `gl.read` reads it back, also after a crash.
        keep: Entries of the log to hold in memory, about; older ones are then read from the journal.

    Raises:
        RegionError: No such region.
        InputError: Ids or credentials were given without the region they belong to; or both a log and a
            journal; or `keep` without a journal.
    """

    def __init__(
        self,
        region: Region | str | None = None,
        *,
        deployment_id: str | None = None,
        client_id: str | None = None,
        client_secret: Secret | None = None,
        access_token: Secret | None = None,
        origin: str | None = None,
        ca_file: str | Path | None = None,
        log: Log | None = None,
        journal: str | Path | None = None,
        keep: int | None = None,
    ) -> None:
        if log is not None and (journal is not None or keep is not None):
            raise InputError(
                "Both a log and a journal were given.",
                why="A log has its journal from the beginning.",
                next_step="Pass gl.Lab(log=gl.Log(journal=..., keep=...)), or journal= alone.",
            )
        self.sandbox: Sandbox | None = None
        if region is None:
            _belongs_to_no_region(
                deployment_id=deployment_id, client_id=client_id, access_token=access_token, ca_file=ca_file
            )
            from guestlab.sandbox import Sandbox

            self.sandbox = Sandbox(seed=_sandbox_seed()).start()
            region, deployment_id = self.sandbox.region, self.sandbox.deployment_id
            client_id, client_secret = self.sandbox.client_id, self.sandbox.client_secret
        self.region = region if isinstance(region, Region) else Region.of(region)
        if ca_file is not None:
            self.region = Region(self.region.name, tls=ca_file, names=self.region.names)
        self.client_id = client_id
        self.log = log if log is not None else Log(journal=journal, keep=keep)
        self.stages = dict.fromkeys(STAGES, "ready")
        self.tokens = Tokens(
            self.region,
            self.log,
            client_id=client_id,
            client_secret=client_secret,
            access_token=access_token,
            stand_in=self._code_client if self.sandbox is not None else None,
        )
        self.handshakes = Handshakes(
            self.region,
            self.log,
            self.tokens,
            http=self._http,
            deployment_id=(deployment_id or "").strip(),
            origin=origin,
            add_inactive=self._inactive_deployment if self.sandbox is not None else None,
        )
        self._client: Client | None = None
        self._sessions: list[Session] = []
        self._channels: list[Channel] = []
        self._customers: list[Customer] = []
        self._scores: Scores | None = None
        self._stepper: Stepper | None = None
        self._closed = False

    @property
    def deployment_id(self) -> str:
        """The messenger deployment's UUID.

        Raises:
            InputError: The lab was made without one.
        """
        return self.handshakes.own_deployment()

    @property
    def has_deployment(self) -> bool:
        """Whether the lab knows a deployment id."""
        return bool(self.handshakes.deployment_id)

    @property
    def origin(self) -> str | None:
        """The `Origin` header of its handshakes; None sends none."""
        return self.handshakes.origin

    @classmethod
    def from_env(
        cls, environ: Mapping[str, str] | None = None, *, client_secret: Secret | None = None
    ) -> Lab:
        """Make a lab from GUESTLAB_REGION, _DEPLOYMENT_ID, _CLIENT_ID, _CLIENT_SECRET, _ORIGIN, _CA_FILE.

        Also GUESTLAB_ACCESS_TOKEN, in place of an OAuth client, and GUESTLAB_JOURNAL.

        Args:
            environ: Where to read them; the process's environment by default.
            client_secret: Where the secret comes from if it is not in the environment, such as
                `secret_sources.from_keyring("guestlab", client_id)` or `secret_sources.from_prompt()`.

        Raises:
            InputError: GUESTLAB_REGION is not set.
        """
        environ = os.environ if environ is None else environ
        region = environ.get("GUESTLAB_REGION")
        if not region:
            raise InputError(
                "GUESTLAB_REGION is not set.",
                why="from_env() reads where to connect from the environment.",
                next_step="Set GUESTLAB_REGION=mypurecloud.de (say), or use gl.Lab() for the sandbox.",
            )
        return cls(
            region,
            deployment_id=environ.get("GUESTLAB_DEPLOYMENT_ID"),
            client_id=environ.get("GUESTLAB_CLIENT_ID"),
            client_secret=environ.get("GUESTLAB_CLIENT_SECRET") or client_secret,
            access_token=environ.get("GUESTLAB_ACCESS_TOKEN"),
            origin=environ.get("GUESTLAB_ORIGIN"),
            ca_file=environ.get("GUESTLAB_CA_FILE"),
            journal=environ.get("GUESTLAB_JOURNAL"),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        where = "the embedded sandbox" if self.sandbox else self.region.name
        stages = ", ".join(f"{name} {state}" for name, state in self.stages.items())
        closed = "closed; " if self._closed else ""
        return f"<Lab at {where}: {closed}{stages}; {len(self.log)} log entries>"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return self.stepper()._repr_mimebundle_() | {"text/plain": repr(self)}

    def _ipython_display_(self) -> None:
        from guestlab.widgets.view import show

        show(self)

    def stepper(self, **inputs: str) -> Stepper:
        """Show the three stages, to click through; the same one each time.

        Args:
            inputs: What is entered in it: grant, scope, body_format, text, credential, placement, deployment,
                origin, endpoint, language. The stepper writes such a call itself, under "Save these inputs".

        Raises:
            InputError: No such input, or not one of its values.
        """
        from guestlab.widgets.stepper import Stepper

        if self._stepper is None:
            self._stepper = Stepper(self, **inputs)
        elif inputs:
            self._stepper.enter(**inputs)
        return self._stepper

    # -- stage 1: token ---------------------------------------------------------------------------

    def token(
        self,
        grant: str | None = None,
        *,
        scope: str | None = None,
        url: str | None = None,
        body_format: str = "form",
        redirected: str | None = None,
        timeout: float | None = None,
    ) -> AccessToken:
        """Get an access token and prove it live with `GET /api/v2/tokens/me`.

        Args:
            grant: "client_credentials", the default; or "pkce" or "authorization_code", for a user's token:
                a person signs in at the address of `lab.sign_in(...)`, the sandbox's own user by itself.
                In a lab that was given an access token, that token is the default.
            scope: Accepted and sent; it changes nothing, because such clients have roles, not scopes
                (level: official), so a missing scope is never why something is refused.
            url: Another token endpoint of the region, to see what a wrong host answers.
            body_format: "form" (right), or "json" to see it refused.
            redirected: For a user's token: the whole address the browser came back to, where it cannot come
                back by itself, as from another machine.
            timeout: Seconds to wait for the person; 300 by default. On the sandbox nobody is waited for
                unless this is given.

        Raises:
            TokenError: The login service refused; says why and what to change.
            PlatformError: The token was issued but the Platform API does not accept it.
            DeadlineError: Nobody signed in.
            NetworkError: No answer.
        """
        self.tokens.ask()
        if grant in {Credential.PKCE, Credential.AUTHORIZATION_CODE}:
            patience = 310.0 if timeout is None else timeout + 30.0
            work = self.tokens.users_token(self._http(), grant, redirected, timeout)
            return self._staged("token", work, patience)
        if grant is None and self.tokens.brings:
            return self._staged("token", self.tokens.bring(self._http()))
        if grant not in {None, Credential.CLIENT_CREDENTIALS}:
            raise InputError(
                f"grant={grant!r} is unknown.",
                why="Access tokens come by a grant of OAuth 2.0.",
                next_step='Use "client_credentials", "pkce" or "authorization_code".',
            )
        work = self.tokens.issue(self._http(), scope=scope, url=url, body_format=body_format)
        return self._staged("token", work)

    def use_token(self, access_token: Secret) -> AccessToken:
        """Take an access token that you already have; the platform tells what kind it is and whose.

        Args:
            access_token: The token, or what gives it, such as `secret_sources.from_prompt("access token")`.

        Raises:
            PlatformError: The platform does not accept it: expired, revoked, or of another region.
        """
        return self._staged("token", self.tokens.bring(self._http(), resolved(access_token)))

    def renew(self) -> AccessToken:
        """Get a new token now: by the refresh token of a person's, or by asking again.

        Requests do so by themselves before a token expires, and once after a 401.

        Raises:
            TokenError: It cannot be renewed, or the login service refused.
        """
        return self._staged("token", self.tokens.renew(self._http()))

    def revoke(self) -> AccessToken:
        """Make the newest token worthless (`DELETE /api/v2/tokens/me`); returns what it was.

        Raises:
            InputError: There is none.
        """
        revoked = bridge.run(self.tokens.revoke(self._http()))
        self.stages["token"] = "ready"  # noqa: S105 - the name of a state
        return revoked

    def sign_in(
        self,
        client_id: str,
        *,
        client_secret: Secret | None = None,
        redirect_uri: str = REDIRECT_URI,
        listen: bool = True,
    ) -> AuthorizationCode:
        """Begin the sign-in of a person: show the link, and catch the browser as it comes back.

        Open its `.address`, then call `token("pkce")`, or `token("authorization_code")` with a secret.

        Args:
            client_id: An OAuth client whose grant type is Code Authorization.
            client_secret: Its secret, for the plain grant; None uses PKCE.
            redirect_uri: One of the client's authorized redirect URIs; at http://localhost it is listened at.
            listen: Whether to; without, pass the address you come back to as `redirected=`.
        """
        self._check_open()
        return self.tokens.begin_sign_in(
            client_id, client_secret=client_secret, redirect_uri=redirect_uri, listen=listen
        )

    # -- stage 2: conversation --------------------------------------------------------------------

    def conversation(
        self,
        text: str = "hello",
        *,
        create_integration: bool = False,
        webhook_url: str = "https://example.invalid/guestlab",
    ) -> Conversation:
        """Create a conversation over REST, by an inbound Open Messaging message, and read it back.

        This is *not* the conversation a guest socket opens: that one begins with the guest's first message.

        Args:
            text: What the customer says.
            create_integration: Allow an Open Messaging integration to be created where none exists. On
                loopback it is allowed anyway.
            webhook_url: Where a created integration would send the agent's words.

        Raises:
            PlatformError: The platform refused; says which permission or object is missing.
            InputError: There is no integration and creating one was not allowed.
        """
        may_create = create_integration or self.region.is_loopback

        async def work() -> Conversation:
            api = await self._platform()
            return await converse(api, text, self.log, webhook_url=webhook_url, may_create=may_create)

        return self._staged("conversation", work())

    def conversation_as_asked(self) -> PlatformError:
        """Do what the forum question did: `POST /api/v2/conversations/messaging`, a path that does not exist.

        Returns:
            The platform's refusal, with the path that was meant as its next step.
        """

        async def work() -> PlatformError:
            return await converse_as_asked(await self._platform(), self.region.api_url)

        return bridge.run(work())

    # -- stage 3: handshake -----------------------------------------------------------------------

    def handshake(self) -> Attempt:
        """Make the handshake that works: `deploymentId` in the URL, a client-made UUID in the first frame."""
        self._check_open()
        attempt = bridge.run(self.handshakes.attempt(Credential.GUEST, Placement.FIRST_FRAME))
        self.stages["handshake"] = "done" if attempt.ok else "failed"
        return attempt

    def handshake_as_asked(
        self, placement: str = "query", *, real_token: bool = False, deployment_id: str | None = None
    ) -> Attempt:
        """Make the forum question's handshake: an OAuth token, no `deploymentId`. It is refused.

        Args:
            placement: "query" or "header", as in the question, or "first_frame".
            real_token: Away from loopback a decoy is sent unless this is True: a token in a URL ends up in
                the logs of whatever stands between.
            deployment_id: None leaves it out, as in the question.
        """
        return self.attempt(
            credential="client_credentials",
            placement=placement,
            deployment_id=deployment_id,
            real_token=real_token,
        )

    def attempt(
        self,
        *,
        credential: str = "none",
        placement: str = "nowhere",
        deployment_id: str | None = THE_LABS_OWN,
        origin: str | None = None,
        url: str | None = None,
        headers: Mapping[str, str] | None = None,
        subprotocols: Sequence[str] = (),
        first_frame: Mapping[str, Any] | str | None = None,
        real_token: bool = False,
        parameter: str = "access_token",
        proxy: str | None = None,
    ) -> Attempt:
        """Try one way of opening the guest socket. Whatever happens is an outcome, not an exception.

        Args:
            credential: "none", "client_credentials", "guest", "garbage", "expired" or "other_region".
            placement: "nowhere", "query", "header", "cookie", "subprotocol" or "first_frame".
            deployment_id: The lab's own unless given; None leaves it out, "" sends it empty. Or a word:
                "right", "missing", "empty", "unknown", "inactive" or "other_region".
            origin: The `Origin` header; the lab's own unless given. Or a word: "own", "none" (no such
                header), "listed", "unlisted", "null", "with_port" or "without_scheme".
            url: A whole URL instead of the one built from region and deployment id.
            headers: Extra request headers.
            subprotocols: Offered in `Sec-WebSocket-Protocol`.
            first_frame: The first frame instead of a `configureSession`.
            real_token: Send the real access token away from loopback too, instead of a decoy.
            parameter: The credential's name in the query, or in the cookie.
            proxy: `http://host:port` to go through; by default the environment's, "" goes straight.

        Raises:
            InputError: An unknown credential or placement, or a URL that is none.
        """
        self._check_open()
        return bridge.run(
            self.handshakes.attempt(
                member(Credential, credential),
                member(Placement, placement),
                deployment_id=deployment_id,
                origin=origin,
                url=url,
                headers=headers,
                subprotocols=subprotocols if isinstance(subprotocols, str) else tuple(subprotocols),
                first_frame=first_frame,
                real_token=real_token,
                parameter=parameter,
                proxy=proxy,
            )
        )

    def allowed_domains(self) -> tuple[str, ...]:
        """The deployment's allowed domains, from its public `domains.json`; () where there are none."""
        return bridge.run(self.handshakes.allowed_domains())

    def matrix(
        self,
        credentials: Iterable[str] | None = None,
        placements: Iterable[str] | None = None,
        deployments: Iterable[str | None] | None = None,
        origins: Iterable[str | None] | None = None,
        *,
        crossed: bool = False,
        progress: Callable[[int, int], object] | None = None,
        cancel: Cancel | None = None,
        confirm: Confirm = None,
        real_token: bool = False,
    ) -> Matrix:
        """Make attempts over varied inputs. Without arguments: every credential in every place, then none.

        Args:
            credentials: As for `attempt`; a credential and its place are one factor.
            placements: As for `attempt`.
            deployments: Words or ids, as for `attempt`.
            origins: Words or origins, as for `attempt`.
            crossed: Every combination, instead of one factor at a time from the first values.
            progress: Called with (attempts done, attempts in all), on another thread.
            cancel: Anything with `is_set()`, such as a `threading.Event`: stops it; what is done stays.
            confirm: Away from loopback more than six requests are asked about first: True, or a function
                that is told the number and answers True or False.
            real_token: As for `attempt`.

        Raises:
            InputError: An unknown value, or nobody confirmed.
        """
        plan = vary(credentials, placements, deployments, origins, crossed=crossed)
        where = "the embedded sandbox" if self.sandbox else self.region.name
        ask_first(len(plan), confirm, loopback=self.region.is_loopback, where=where)

        self._check_open()
        work = self.handshakes.matrix(
            plan, where=where, real_token=real_token, progress=progress, cancel=cancel
        )
        return bridge.run(work, timeout=3600.0)

    def preflight(self, *, search_regions: bool = False, proxy: str | None = None) -> Preflight:
        """Look at everything that can be known before a socket is opened, rung by rung.

        Args:
            search_regions: Ask the other regions for the deployment where this one does not know it: up to
                17 public requests, paced.
            proxy: As for `attempt`.
        """
        self._check_open()
        found = bridge.run(
            run_preflight(
                self._http(),
                self.handshakes.deployment_id,
                origin=self.origin,
                platform=self._platform if self.tokens.has_client else None,
                search_regions=search_regions,
                proxy=proxy,
            )
        )
        self.handshakes.learn(found.facts)
        return found

    # -- session ----------------------------------------------------------------------------------

    def session(
        self,
        *,
        guest_token: str | None = None,
        limits: Limits | None = PUBLISHED,
        auto_start: bool | None = None,
        **configure: Any,
    ) -> Session:
        """Open a guest session and return its blocking face, connected and configured.

        Args:
            guest_token: Resume the session of this guest; a new guest by default.
            limits: The pacing budgets; None switches pacing off, on loopback only.
            auto_start: Whether a new session is begun with a Presence Join; by default what the
                deployment's public `config.json` says.
            configure: Passed on to `GuestSession`.

        Raises:
            HandshakeError: The socket did not open; names the findings.
        """
        self._check_open()
        if auto_start is None:
            auto_start = bridge.run(self._auto_starts())
        session = Session.open(
            GuestSession(
                self.region,
                self.deployment_id,
                guest_token,
                origin=self.origin,
                log=self.log,
                limits=limits,
                auto_start=auto_start,
                **configure,
            ),
            platform=self._platform,
        )
        self._sessions.append(session)
        return session

    async def _auto_starts(self) -> bool:
        """Read the deployment's `autoStart`; a configuration that cannot be read starts nothing by itself."""
        with contextlib.suppress(GuestlabError):
            url = self.region.config_url(self.deployment_id)
            response = await self._http().send("GET", url, stage="session")
            with contextlib.suppress(ValueError, KeyError, TypeError):
                conversations = json.loads(response.content)["messenger"]["apps"]["conversations"]
                return conversations["autoStart"]["enabled"] is True
        return False

    def channel(self, topics: Iterable[str], *, ignore_errors: bool = False) -> Channel:
        """Open a notification channel: the socket that an access token *is* good for.

        Args:
            topics: What to subscribe to, such as "v2.routing.queues.{queue id}.conversations.messages".
                A token without a user may have those that a permission guards, none of a user's own.
            ignore_errors: Take the topics that are permitted; the others are in `.rejected`.

        Raises:
            PlatformError: No channel, or a topic that does not exist or is not permitted.
            HandshakeError: The socket was refused.
        """
        names = (topics,) if isinstance(topics, str) else tuple(topics)
        opened = Channel.open(bridge.run(self._new_channel(names, ignore_errors)))
        self._channels.append(opened)
        return opened

    async def _new_channel(self, topics: tuple[str, ...], ignore_errors: bool) -> NotificationChannel:
        api = await self._platform()
        return NotificationChannel(api, topics, region=self.region, log=self.log, ignore_errors=ignore_errors)

    def platform(self, *, writes: Iterable[str] = ()) -> Platform:
        """Return the Platform API, its verbs blocking: what a token without a guest is good for.

        Args:
            writes: Names of the writes to allow away from loopback, such as "say" or "disconnect"; reading
                is always allowed, and on loopback everything is.

        Raises:
            InputError: A name that is no write.
            TokenError: No token.
        """
        return Platform(bridge.run(self._platform([writes] if isinstance(writes, str) else writes)))

    def transcript(self, conversation_id: str, *, sources: Sequence[str] = SOURCES) -> Transcript:
        """Read a conversation back from the platform, into the same messages as the live ones.

        Args:
            conversation_id: Which conversation; `lab.conversation_of(message_id)` finds it.
            sources: Some of "messages" (the words of both sides), "analytics" (who took part when) and
                "recordings" (the recorded transcript).

        Returns:
            What each source gave, or the permission it lacked; the rows stand in `lab.log.messages`.
        """

        async def fetch() -> Transcript:
            return await collect(await self._platform(), conversation_id, self.log, sources=sources)

        return bridge.run(fetch(), 300.0)

    def conversation_of(self, message_id: str) -> str:
        """Look up which conversation a message belongs to: the guest side is never told.

        Args:
            message_id: The `message_id` of a message in `lab.log.messages`.

        Raises:
            PlatformError: The platform knows no such message, or the token may not look.
        """

        async def find() -> str:
            return await conversation_of(await self._platform(), message_id)

        return bridge.run(find())

    def customer(
        self,
        *,
        integration_id: str | None = None,
        secret: Secret | None = None,
        webhook_url: str | None = None,
        port: int = 0,
        create_integration: bool = False,
    ) -> Customer:
        """Play a customer over Open Messaging, both ways: words go in over REST, answers come by webhook.

        On the sandbox an integration is made that leads back here. The real cloud needs an address it can
        reach: a tunnel that ends TLS and leads to `.webhook_url`.

        Args:
            integration_id: An Open Messaging integration whose webhook leads to this machine.
            secret: Its signature secret token.
            webhook_url: The public https address of a tunnel to this machine, for one that is created.
            port: Where the webhook listens; 0 takes a free one.
            create_integration: Allow one to be created away from loopback.

        Raises:
            InputError: No integration, and creating one was not allowed or has no public address.
            PlatformError: The platform refused.
        """
        if (
            integration_id is None
            and not self.region.is_loopback
            and not (create_integration and webhook_url)
        ):
            raise InputError(
                "There is no Open Messaging integration that leads here.",
                why="The platform posts the agent's words to an https address it can reach.",
                next_step="Pass integration_id= and secret=; or create_integration=True and webhook_url=.",
            )
        opened = Customer(
            bridge.run(self._platform()),
            log=self.log,
            integration_id=integration_id,
            secret=resolved(secret) or None,
            webhook_url=webhook_url,
            port=port,
        )
        self._customers.append(opened)
        return opened

    def budgets(self, session: str | None = None) -> BudgetView:
        """Show what of the published budgets is used, and how long to wait, counting down.

        Args:
            session: The name of one session or channel; all of them by default.
        """
        from guestlab.widgets.budget_view import BudgetView

        return BudgetView(self.log, session)

    @overload
    def drill(self) -> View: ...
    @overload
    def drill(self, name: str) -> Drill: ...
    def drill(self, name: str | None = None) -> Drill | View:
        """Begin an exercise: a fault on the sandbox, whose cause the learner finds; without a name list them.

        Args:
            name: Such as "nothing-in-any-log". Its `.check("rule.name")` tells, `.hint()` helps.

        Raises:
            InputError: No such exercise, or the lab has no sandbox of its own.
        """
        from guestlab.drills import begin, catalogue

        return catalogue(self._drill_scores) if name is None else begin(self, name, self._drill_scores)

    def drill_results(self, learner: str = "", *, to: str | Path | None = None) -> DataFrame:
        """What a trainer collects: a row per drill, untouched ones too, and how far the learner is with it.

        Args:
            learner: The name to stand in every row, such as "Anna".
            to: A JSON file to write them to, such as "anna.json"; what it holds already, from another
                kernel, is counted in. `pandas.read_json` reads it.

        Raises:
            InputError: The file is something else, or another learner's.
        """
        return self._drill_scores.table(learner, to)

    @property
    def _drill_scores(self) -> Scores:
        from guestlab.drill_scores import Scores
        from guestlab.drills import EXERCISES

        if self._scores is None:
            self._scores = Scores(EXERCISES)
        return self._scores

    def rehearse(self, script: Script) -> Outcome:
        """Hold a scripted conversation as a fresh guest and check what comes back.

        Args:
            script: From `guestlab.scripted.Script.load`.
        """

        def fresh(**configure: Any) -> GuestSession:
            return GuestSession(
                self.region, self.deployment_id, origin=self.origin, log=self.log, **configure
            )

        return bridge.run(self._rehearse(script, fresh), timeout=3600.0)

    async def _rehearse(self, script: Script, fresh: Callable[..., GuestSession]) -> Outcome:
        outcome = await script.run(fresh)
        if outcome.ok or not self.tokens.has_client:
            return outcome
        said = (entry for entry in self.log.entries if entry.session == outcome.session)
        message_id = next((entry.message_id for entry in said if entry.message_direction == "Inbound"), None)
        if message_id is None:
            return outcome
        with contextlib.suppress(GuestlabError):  # the failure is the news, its conversation id a comfort
            details = await (await self._platform()).message_details(message_id)
            return replace(outcome, conversation_id=str(details.get("conversationId", "")))
        return outcome

    def close(self) -> None:
        """Close what is open: sessions, connections, and the sandbox if the lab owns one. The log stays."""
        self._closed = True
        if self._stepper is not None:
            self._stepper.close()
        for session in self._sessions:
            session.close()
        for channel in self._channels:
            channel.close()
        for customer in self._customers:
            customer.close()
        self._customers.clear()
        self._sessions.clear()
        self._channels.clear()
        self.tokens.end_sign_in()
        if self._client is not None:
            bridge.run(self._client.aclose())
            self._client = None
        if self.sandbox is not None:
            self.sandbox.close()

    # -- below ------------------------------------------------------------------------------------

    def _staged(self, stage: str, work: Coroutine[Any, Any, T], timeout: float = 60.0) -> T:
        self.stages[stage] = "running"
        try:
            outcome = bridge.run(work, timeout)
        except BaseException:
            self.stages[stage] = "failed"
            raise
        self.stages[stage] = "done"
        return outcome

    def _check_open(self) -> None:
        if self._closed:
            raise InputError(
                "This lab is closed.",
                why="close() ended its connections, and its sandbox if it had one.",
                next_step="Make a new one; this one's log stays readable.",
            )

    def _code_client(self) -> tuple[str, str]:
        """The sandbox's OAuth client for people, whose own user signs in by program."""
        assert self.sandbox is not None
        known = self.sandbox.world.code_client
        return known.id, known.secret

    def _inactive_deployment(self) -> str:
        assert self.sandbox is not None
        return str(self.sandbox.deployments.add(status="Inactive").id)

    def _http(self) -> Client:
        self._check_open()
        if self._client is None:
            self._client = Client(self.region, self.log)
        return self._client

    async def _platform(self, writes: Iterable[str] = ()) -> PlatformApi:
        allowed = {*LABS_OWN_WRITES, *writes}
        return PlatformApi(self._http(), await self.tokens.speaking(self._http()), writes=allowed)


def _sandbox_seed() -> int:
    """The seed that `guestlab lab --seed` hands down to the kernels; 0 without one."""
    text = os.environ.get("GUESTLAB_SANDBOX_SEED", "").strip()
    try:
        return int(text or "0")
    except ValueError:
        raise InputError(
            f"GUESTLAB_SANDBOX_SEED is {text!r}.",
            why="A seed is a whole number: the same number gives the same ids on every screen.",
            next_step="Set it to a number such as 7, or unset it.",
        ) from None


def _belongs_to_no_region(**given: object) -> None:
    """Refuse ids and files that would be ignored: without a region it is the sandbox that answers."""
    for name, value in given.items():
        if value is not None:
            raise InputError(
                f"{name} was given without a region.",
                why="Without a region the lab runs on the embedded sandbox, which has ids of its own.",
                next_step=f'Pass the region too, such as gl.Lab("mypurecloud.de", {name}=...).',
            )
