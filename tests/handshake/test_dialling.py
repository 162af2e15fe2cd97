"""The way to a host: straight, through a proxy, and past a certificate that is not trusted."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trustme

from guestlab.errors import InputError
from guestlab.handshake import dialling
from guestlab.handshake.attempt import Plan
from guestlab.handshake.certificate import issuer_of
from guestlab.handshake.dialling import Dial, find_proxy, run_step
from guestlab.handshake.perform import perform
from guestlab.http import Client, Request, environment_proxy
from guestlab.lab import Lab
from guestlab.log import Log
from guestlab.regions import Region

PASSWORD = "proxy-password-7"


@contextlib.asynccontextmanager
async def connect_proxy(
    answer: bytes = b"HTTP/1.1 200 Connection established", tls: ssl.SSLContext | None = None
) -> AsyncIterator[dict]:
    """A proxy that knows CONNECT only, and does it unless its answer is a refusal."""
    seen: dict = {"heads": [], "tasks": set()}

    async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()
        sink.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        seen["heads"].append(head)
        seen["tasks"].add(asyncio.current_task())
        writer.write(answer + b"\r\n\r\n")
        if answer.split()[1] != b"200":
            writer.close()
            return
        host, _, port = head.split()[1].rpartition(":")
        far_reader, far_writer = await asyncio.open_connection(host, int(port))
        await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))
        for end in (writer, far_writer):
            with contextlib.suppress(OSError):
                await end.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    seen["port"] = server.sockets[0].getsockname()[1]
    try:
        yield seen
    finally:
        server.close()
        await server.wait_closed()
        await asyncio.wait(seen["tasks"], timeout=5)


def _plan(lab: Lab) -> Plan:
    return Plan(url=lab.region.guest_url(lab.deployment_id))


def test_an_attempt_goes_through_a_named_proxy(lab: Lab) -> None:
    """CONNECT is part of the tcp step, and what follows is the same."""

    async def go() -> None:
        async with connect_proxy() as proxy:
            url = f"http://me:{PASSWORD}@127.0.0.1:{proxy['port']}"
            attempt = await perform(_plan(lab), lab.log, number=1, proxy=url)
        assert attempt.http_status == 101
        assert "proxy" in attempt.steps[1].note
        assert proxy["heads"][0].startswith("CONNECT 127.0.0.1:")
        assert "Proxy-Authorization: Basic " in proxy["heads"][0]
        assert PASSWORD not in str([entry.note for entry in lab.log.entries])

    asyncio.run(go())


def test_a_refusal_by_the_proxy_is_the_proxys(lab: Lab) -> None:
    """Its status is not taken for the server's."""

    async def go() -> None:
        async with connect_proxy(b"HTTP/1.1 407 Proxy Authentication Required") as proxy:
            attempt = await perform(_plan(lab), lab.log, number=1, proxy=f"http://127.0.0.1:{proxy['port']}")
        assert (attempt.ok, attempt.step, attempt.http_status) == (False, "tcp", None)
        assert "the proxy" in attempt.verdict
        assert "HTTP 407" in attempt.verdict
        assert attempt.diagnosis.rules == ("network.tcp",)

    asyncio.run(go())


def test_something_that_is_no_proxy_is_said_to_be_none(lab: Lab) -> None:
    """A web server in its place answers otherwise."""

    async def go() -> None:
        async with connect_proxy(b"SSH-2.0-nothing 200") as proxy:
            dial = Dial(
                "127.0.0.1",
                1,
                log=lab.log,
                proxy=find_proxy("x", secure=True, named=f"127.0.0.1:{proxy['port']}", log=lab.log),
            )
            await run_step("dns", dial.dns, log=lab.log)
            step = await run_step("tcp", dial.tcp, log=lab.log)
            dial.abort()
        assert not step.ok
        assert "did not answer CONNECT" in step.note

    asyncio.run(go())


@pytest.mark.parametrize("address", ["socks5://127.0.0.1:1", "ftp://127.0.0.1", "http://", "https://h:x"])
def test_an_unusable_proxy_address_is_an_input_error(address: str) -> None:
    """Before anything is dialled."""
    with pytest.raises(InputError, match="proxy"):
        find_proxy("example.invalid", secure=True, named=address, log=Log())


def test_the_environments_proxy_is_used_away_from_loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """And NO_PROXY is kept."""
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.invalid:3128")
    monkeypatch.setenv("NO_PROXY", "inside.invalid,ported.invalid:8443")

    def found(host: str, named: str | None = None, port: int | None = None) -> str:
        return str(find_proxy(host, secure=True, named=named, log=Log(), port=port))

    assert found("webmessaging.mypurecloud.de") == "proxy.invalid:3128"
    assert found("ported.invalid", port=8443) == "None"
    assert found("ported.invalid", port=443) == "proxy.invalid:3128"
    assert found("api.inside.invalid") == "None"
    assert found("localhost") == "None"
    assert found("webmessaging.mypurecloud.de", "") == "None"


def test_all_proxy_counts_where_no_other_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """And an address without a scheme is an HTTP proxy's."""
    monkeypatch.setenv("ALL_PROXY", "https://all.invalid")
    assert environment_proxy("a.invalid", secure=True) == "https://all.invalid"
    found = find_proxy("a.invalid", secure=False, named=None, log=Log())
    assert found is not None
    assert (found.port, found.secure, found.url) == (443, True, "https://all.invalid:443")
    monkeypatch.setenv("HTTPS_PROXY", "plain.invalid:3128")
    assert environment_proxy("a.invalid", secure=True) == "http://plain.invalid:3128"
    assert environment_proxy("127.0.0.1", secure=True) == ""


def _certificates(tmp_path: Path, *others: Path) -> tuple[ssl.SSLContext, Path]:
    """A proxy's TLS context, and a file with its authority and others."""
    authority = trustme.CA(organization_name="The Proxy's Own")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    path = tmp_path / "authorities.pem"
    path.write_bytes(authority.cert_pem.bytes() + b"".join(other.read_bytes() for other in others))
    return context, path


def test_an_attempt_goes_through_a_proxy_that_speaks_tls(lab: Lab, tmp_path: Path) -> None:
    """TLS to the proxy, CONNECT inside it, and a plaintext target behind."""
    context, authorities = _certificates(tmp_path)

    async def go() -> None:
        async with connect_proxy(tls=context) as proxy:
            url = f"https://me:{PASSWORD}@127.0.0.1:{proxy['port']}"
            attempt = await perform(_plan(lab), lab.log, number=1, ca_file=authorities, proxy=url)
        assert attempt.http_status == 101
        assert "over TLS" in attempt.steps[1].note
        assert "Proxy-Authorization: Basic " in proxy["heads"][0]
        assert PASSWORD not in str([entry.note for entry in lab.log.entries])
        assert attempt.proxy == f"https://127.0.0.1:{proxy['port']}"

    asyncio.run(go())


def test_tls_goes_inside_the_tls_to_the_proxy(tmp_path: Path) -> None:
    """Two layers, each with its own certificate."""
    from guestlab.sandbox import Sandbox

    with Sandbox(tls=True) as sandbox:
        context, authorities = _certificates(tmp_path, sandbox.ca_file)
        url = f"wss://127.0.0.1:{sandbox.tls_port}/v1?deploymentId={sandbox.deployment_id}"

        async def go() -> None:
            async with connect_proxy(tls=context) as proxy:
                way = f"https://127.0.0.1:{proxy['port']}"
                attempt = await perform(Plan(url=url), Log(), number=1, ca_file=authorities, proxy=way)
            assert attempt.http_status == 101, attempt
            assert [step.name for step in attempt.steps] == ["dns", "tcp", "tls", "upgrade"]

        asyncio.run(go())


def test_a_proxys_untrusted_certificate_is_the_proxys(lab: Lab, tmp_path: Path) -> None:
    """And a proxy without TLS is told from one with."""
    context, _ = _certificates(tmp_path)

    async def go() -> None:
        for tls, words in ((context, "certificate of the proxy"), (None, "speaks no TLS")):
            server = await asyncio.start_server(_mumble, "127.0.0.1", 0, ssl=tls)
            port = server.sockets[0].getsockname()[1]
            attempt = await perform(_plan(lab), lab.log, number=1, proxy=f"https://127.0.0.1:{port}")
            server.close()
            await server.wait_closed()
            assert (attempt.ok, attempt.step, attempt.http_status) == (False, "tcp", None)
            assert words in attempt.verdict

    asyncio.run(go())


async def _mumble(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()
        await writer.wait_closed()


def test_http_takes_the_environments_proxy_and_keeps_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """As an attempt does; the transport is made once."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://me:{PASSWORD}@proxy.invalid:3128")
    monkeypatch.setenv("NO_PROXY", "api.mypurecloud.ie")
    log = Log()
    transport = Client(Region("mypurecloud.de"), log)._client._transport

    def route(host: str) -> object:
        return transport._route(Request("GET", f"https://{host}/api/v2/tokens/me"))  # type: ignore[attr-defined]

    direct = transport._direct  # type: ignore[attr-defined]
    assert route("api.mypurecloud.de") is not direct
    assert route("api.mypurecloud.de") is route("login.mypurecloud.de")
    assert route("api.mypurecloud.ie") is direct
    assert route("127.0.0.1") is direct
    assert PASSWORD not in log.redact(f"it was {PASSWORD}")
    monkeypatch.setenv("HTTPS_PROXY", "gopher://x")
    with pytest.raises(InputError, match="proxy"):
        route("api.mypurecloud.com")


def test_an_untrusted_certificates_issuer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A box in between betrays itself by the name of its authority."""
    authority = trustme.CA(organization_name="Zealous Inspection Box")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("webmessaging.mypurecloud.de").configure_cert(context)

    async def here(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    monkeypatch.setattr(dialling, "_resolved", here)

    async def go() -> None:
        # Whoever gets through TLS, which only the look at the certificate does, is hung up on.
        server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=context)
        port = server.sockets[0].getsockname()[1]
        log, host = Log(), "webmessaging.mypurecloud.de"
        attempt = await perform(Plan(url=f"wss://{host}:{port}/v1?deploymentId=x"), log, number=1)
        server.close()
        await server.wait_closed()
        assert (attempt.ok, attempt.step) == (False, "tls")
        assert "Zealous Inspection Box" in attempt.verdict
        assert "ca_file" in attempt.verdict
        assert "SSL_CERT_FILE" in attempt.verdict

    asyncio.run(go())


def test_ssl_cert_file_is_trusted(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    """A company's own CA, by the environment, without a restart."""
    from guestlab.sandbox import Sandbox

    with Sandbox(tls=True) as sandbox:
        region = f"https://127.0.0.1:{sandbox.tls_port}"
        with Lab(region, deployment_id=sandbox.deployment_id) as lab:
            assert lab.handshake().step == "tls"
            monkeypatch.setenv("SSL_CERT_FILE", str(sandbox.ca_file))
            assert lab.handshake().ok


def test_a_certificate_is_read_as_far_as_its_issuer() -> None:
    """What does not fit is empty, never an exception."""
    authority = trustme.CA(organization_name="Örtlich GmbH")
    der = ssl.PEM_cert_to_DER_cert(authority.cert_pem.bytes().decode())
    assert "Örtlich GmbH" in issuer_of(der)
    for length in range(0, len(der), 7):
        assert issuer_of(der[:length]) == ""
    assert issuer_of(b"\x30\x84\xff\xff\xff\xff") == ""
