"""Typical uses of the public names, checked by strict mypy and never run: what comes back has a type.

`tests/test_tools.py` runs mypy over it. A line that lets `Any` out where a type could be told fails there.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, assert_type

import dask.dataframe as dd
import pandas as pd

import guestlab as gl
from guestlab.analysis import Plot
from guestlab.authentication import GuestAuthentication
from guestlab.blocking_platform import Platform
from guestlab.channel import NotificationChannel
from guestlab.customer import Customer
from guestlab.drills import Drill
from guestlab.handshake.comparison import Comparison
from guestlab.preflight import Preflight
from guestlab.protocol.commands import Echo
from guestlab.protocol.events import EchoReceived, Event, PresenceChanged, SessionConfigured
from guestlab.protocol.notifications import Pong, Resumed, TopicEvent
from guestlab.scripted import Outcome, Script
from guestlab.transcripts import Transcript


def where() -> None:
    """Regions."""
    region = gl.Region.of("https://login.mypurecloud.de/oauth/token")
    assert_type(region, gl.Region)
    assert_type(region.guest_url("3d2f0c1e"), str)
    assert_type(gl.REGIONS, tuple[gl.Region, ...])
    assert_type(region.aws_name, str)


def stages(lab: gl.Lab) -> None:
    """Token, conversation, handshake."""
    token = lab.token()
    assert_type(token, gl.AccessToken)
    assert_type(token.value, str)
    assert_type(lab.conversation(text="hello"), gl.Conversation)
    attempt = lab.handshake()
    assert_type(attempt, gl.Attempt)
    assert_type(attempt.http_status, int | None)
    assert_type(attempt.diagnosis, gl.Diagnosis)
    assert_type(attempt.diagnosis.findings, tuple[gl.Finding, ...])
    assert_type(attempt.snippet("python"), str)
    assert_type(lab.attempt(credential="garbage", placement="header"), gl.Attempt)
    matrix = lab.matrix(deployments=["right", "missing"], crossed=True)
    assert_type(matrix, gl.Matrix)
    assert_type(lab.preflight(), Preflight)
    assert_type(gl.compare(lab.handshake_as_asked(), attempt), Comparison)
    with gl.Lab.from_env() as other:
        assert_type(other, gl.Lab)


def talk(lab: gl.Lab, path: Path) -> None:
    """A guest session, blocking."""
    with lab.session() as session:
        assert_type(session, gl.Session)
        message = session.send("hello", attachment=path)
        assert_type(message, gl.Message)
        assert_type(message.text, str)
        assert_type(session.reply(message.quick_replies[0]), gl.Message)
        assert_type(session.next(PresenceChanged, timeout=5), PresenceChanged)
        assert_type(session.next(), Event)
        assert_type(session.say(Echo()), Event)
        assert_type(session.echo(), EchoReceived)
        assert_type(session.messages(quiet=1), list[gl.Message])
        assert_type(session.history(), list[gl.Message])
        assert_type(session.upload(b"x", name="x.txt"), str)
        assert_type(session.start_new(), SessionConfigured)
        for one in session:
            assert_type(one, gl.Message)


async def talk_async(region: gl.Region, authentication: GuestAuthentication) -> None:
    """The same in async code."""
    async with gl.GuestSession(region, "3d2f0c1e", limits=gl.PUBLISHED) as session:
        assert_type(session, gl.GuestSession)
        assert_type(await session.send("hello"), gl.Message)
        assert_type(await session.next(gl.events.PresenceChanged), PresenceChanged)
        assert_type(await session.step_up(authentication), SessionConfigured)
        assert_type(await session.echo(), EchoReceived)
        async for message in session:
            assert_type(message, gl.Message)


def listen(lab: gl.Lab) -> None:
    """A notification channel, and the Platform API."""
    with lab.channel(["v2.users.1.presence"]) as channel:
        assert_type(channel, gl.Channel)
        assert_type(channel.next(), TopicEvent)
        assert_type(channel.next(Resumed, timeout=5), Resumed)
        assert_type(channel.ping(), Pong)
        assert_type(channel.topics, tuple[str, ...])
        assert_type(channel.core, NotificationChannel)
    platform = lab.platform()
    assert_type(platform, Platform)
    assert_type(platform.conversation("1"), dict[str, Any])  # the platform's own document
    assert_type(lab.transcript("1"), Transcript)
    with lab.customer() as customer:
        assert_type(customer, Customer)


def record(lab: gl.Lab, path: Path) -> None:
    """The log, its tables and its files."""
    log = lab.log
    assert_type(log, gl.Log)
    assert_type(log.table(), pd.DataFrame)
    assert_type(log.messages, pd.DataFrame)
    assert_type(log.summary(), pd.DataFrame)
    assert_type(log.entries[0], gl.Entry)
    assert_type(log.entries[1:3], list[gl.Entry])
    for entry in log.entries:
        assert_type(entry, gl.Entry)
        assert_type(entry.http_status, int | None)
    assert_type(log.to_parquet(path), Path)
    assert_type(gl.read([path, path]), gl.Log)


def analyse(frame: pd.DataFrame, many: dd.DataFrame) -> None:
    """What goes in decides what comes out: pandas or Dask."""
    assert_type(gl.analysis.response_times(frame), pd.DataFrame)
    assert_type(gl.analysis.response_times(many), dd.DataFrame)
    assert_type(gl.analysis.duplicates(frame), pd.DataFrame)
    assert_type(gl.analysis.budget(frame), pd.DataFrame)
    assert_type(gl.analysis.plot_session(frame), Plot)
    assert_type(gl.analysis.sample(), gl.Log)


def explain(path: Path) -> None:
    """Without any network."""
    diagnosis = gl.diagnose(url="wss://webmessaging.mypurecloud.de/v1", http_status=401, body="")
    assert_type(diagnosis, gl.Diagnosis)
    assert_type(diagnosis.ok, bool)
    assert_type(gl.diagnose_text("curl -i https://x"), gl.Diagnosis)
    assert_type(gl.diagnose_har(path), tuple[gl.Diagnosis, ...])
    for finding in diagnosis.findings:
        assert_type(finding, gl.Finding)
        assert_type(finding.evidence, tuple[str, ...])


def pretend(path: Path) -> None:
    """The sandbox, drills and scripted conversations."""
    with gl.Sandbox(seed=7, bot=path) as sandbox:
        assert_type(sandbox, gl.Sandbox)
        assert_type(sandbox.region, gl.Region)
        assert_type(sandbox.deployment_id, str)
    with gl.Lab() as lab:
        assert_type(lab.sandbox, gl.Sandbox | None)
        assert_type(lab.drill("stranger"), Drill)
        assert_type(lab.drill_results("Anna", to=path), pd.DataFrame)
        assert_type(lab.rehearse(Script.load("name: x\nsteps: []\n")), Outcome)


def fail(lab: gl.Lab) -> None:
    """Every error has the same four parts."""
    try:
        lab.token()
    except gl.GuestlabError as error:
        assert_type(error.what, str)
        assert_type(error.next_step, str)
        assert_type(error.evidence, tuple[str, ...])
