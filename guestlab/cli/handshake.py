"""`guestlab attempt`, `matrix`, `preflight`, `snippet` and `probe`: the handshake laboratory."""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import TYPE_CHECKING, Any

from guestlab.cli.flags import advice_as_flags, as_flags
from guestlab.cli.output import DONE, FINDING, add_command, printable, seconds, write_text
from guestlab.cli.where import add_where, lab_of
from guestlab.errors import InputError, RegionError
from guestlab.handshake.attempt import Credential, Placement
from guestlab.handshake.factors import DeploymentWord, OriginWord
from guestlab.regions import Region

if TYPE_CHECKING:
    from collections.abc import Callable

    from guestlab.handshake.attempt import Attempt
    from guestlab.handshake.matrix import Cell
    from guestlab.lab import Lab

__all__ = ["add", "attempt_document"]

_ATTEMPT = (
    "{ok url credential placement origin step http_status body_size frame_code close_code duration_ms "
    "verdict measured findings[{rule what why next_step level confidence}] steps[{name ok duration_ms note}]}"
)
ATTEMPT_KEYS = f"ok region attempts[{_ATTEMPT}]"
MATRIX_KEYS = (
    "answer region attempts[{credential placement deployment origin ok step http_status frame_code "
    "close_code duration_ms rules verdict}]"
)
PREFLIGHT_KEYS = (
    "ok region verdict facts steps[{name state note next_step duration_ms}] deployments[{id name status}]"
)
SNIPPET_KEYS = "format snippet"
PROBE_KEYS = (
    "format level recorded_at region deployment left_open observations[{name condition question step ok "
    "status headers body body_size close_code frame_code frames duration_ms note}]"
)

_WHERE = "--region mypurecloud.de --deployment-id 3d2f0c1e-0000-4000-8000-000000000001"
ATTEMPT_EXAMPLES = (
    "guestlab attempt",
    f"guestlab attempt {_WHERE} --origin https://shop.example",
    "guestlab attempt --credential garbage --placement header --deployment unknown",
)
MATRIX_EXAMPLES = ("guestlab matrix", "guestlab matrix --deployments right,missing,unknown --crossed --yes")
PREFLIGHT_EXAMPLES = (f"guestlab preflight {_WHERE}", "guestlab preflight --search-regions")
SNIPPET_EXAMPLES = ("guestlab snippet python", f"guestlab snippet wscat {_WHERE}")
PROBE_EXAMPLES = (f"guestlab probe --record observed.json {_WHERE}",)


def add(commands: Any) -> None:
    """Add the commands."""
    _add_attempt(commands)
    _add_matrix(commands)
    preflight = add_command(
        commands,
        "preflight",
        _preflight,
        "look at everything before a socket is opened",
        PREFLIGHT_KEYS,
        PREFLIGHT_EXAMPLES,
    )
    preflight.description = (
        "Look at everything before a socket is opened: "
        "name, port, TLS, the deployment's public documents; with GUESTLAB_CLIENT_ID and _SECRET also the "
        "Platform API, which lists the deployments when no id is given."
    )
    preflight.add_argument(
        "--search-regions", action="store_true", help="ask the other regions when this one knows it not"
    )
    _add_proxy(preflight)
    add_where(preflight)
    snippet = add_command(
        commands,
        "snippet",
        _snippet,
        "write the handshake that works as code, in your language",
        SNIPPET_KEYS,
        SNIPPET_EXAMPLES,
    )
    snippet.description = (
        "Make the handshake that works, live, and write it as code. Secrets are variables. Where nothing "
        "answers or it is refused, the code is complete all the same, and the exit status is 1."
    )
    snippet.add_argument(
        "format", metavar="FORMAT", type=_format, help="python, guestlab, browser, node, curl, wscat …"
    )
    add_where(snippet)
    probe = add_command(
        commands,
        "probe",
        _probe,
        "ask a real organisation what nobody has documented",
        PROBE_KEYS,
        PROBE_EXAMPLES,
    )
    probe.description = (
        "Ask a real organisation what nobody has documented: "
        "a dozen attempts, a second apart, no message and no token of worth; writes a JSON without ids, "
        "domains and secrets. Asks before it begins."
    )
    probe.add_argument("--record", metavar="FILE", required=True, help="where to write; - is standard output")
    probe.add_argument("--inactive", metavar="ID", help="id of a deployment that is switched off, to ask too")
    probe.add_argument("--between", type=seconds, default=1.0, help="seconds between attempts (default: 1)")
    _add_yes(probe)
    add_where(probe)


def _add_attempt(commands: Any) -> None:
    attempt = add_command(
        commands,
        "attempt",
        _attempt,
        "try the failing and the working handshake, live",
        ATTEMPT_KEYS,
        ATTEMPT_EXAMPLES,
    )
    attempt.description = (
        "Try two handshakes: one as people try it (by default an "
        "OAuth token in the query and no deployment id), "
        "and the form that works. Needs no OAuth client: away from loopback a decoy goes out in place of a "
        "token. Stops at SessionResponse: no Join, no message. Exit status, and ok of --json, are those of "
        "the form that works; each attempt has an ok of its own."
    )
    attempt.add_argument(
        "--credential",
        choices=[*Credential],
        help="what to try to open it with (default: client_credentials)",
    )
    attempt.add_argument("--placement", choices=[*Placement], help="where to put it (default: query)")
    attempt.add_argument(
        "--deployment", metavar="WORD", help=f"deployment id tried: {', '.join(DeploymentWord)}"
    )
    attempt.add_argument("--url", help="try this whole URL instead")
    attempt.add_argument(
        "--parameter", default="access_token", help="the credential's name in a query (default: access_token)"
    )
    _add_proxy(attempt)
    add_where(attempt)


def _add_matrix(commands: Any) -> None:
    matrix = add_command(
        commands,
        "matrix",
        _matrix,
        "try every credential in every place, and none",
        MATRIX_KEYS,
        MATRIX_EXAMPLES,
    )
    matrix.description = (
        "Try every credential in every place. "
        "Without options: no credential in any place opens it; the deployment id alone does."
    )
    matrix.add_argument("--credentials", type=_words, metavar="A,B", help=f"of {', '.join(Credential)}")
    matrix.add_argument("--placements", type=_words, metavar="A,B", help=f"of {', '.join(Placement)}")
    matrix.add_argument(
        "--deployments", type=_words, metavar="A,B", help=f"of {', '.join(DeploymentWord)}, or ids"
    )
    matrix.add_argument(
        "--origins", type=_words, metavar="A,B", help=f"of {', '.join(OriginWord)}, or origins"
    )
    matrix.add_argument("--crossed", action="store_true", help="every combination, not one factor at a time")
    _add_yes(matrix)
    add_where(matrix)


def _format(word: str) -> str:
    """A snippet's format; any other word is wrong usage."""
    from guestlab.snippets import FORMATS

    if word not in FORMATS:
        raise argparse.ArgumentTypeError(f"there is no snippet in {word!r}; use one of {', '.join(FORMATS)}")
    return word


def _add_yes(command: argparse.ArgumentParser) -> None:
    command.add_argument("--yes", action="store_true", help="do not ask before making many requests")


def _add_proxy(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--proxy", metavar="URL", help="http:// or https:// proxy (default: HTTPS_PROXY; '' for none)"
    )


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",")]


def attempt_document(attempt: Attempt) -> dict[str, Any]:
    """An attempt as the object `--json` prints."""
    return {
        "ok": attempt.ok,
        "url": attempt.url,
        "credential": attempt.credential,
        "placement": attempt.placement,
        "origin": attempt.origin,
        "step": attempt.step,
        "http_status": attempt.http_status,
        "body_size": attempt.body_size,
        "frame_code": attempt.frame_code,
        "close_code": attempt.close_code,
        "duration_ms": round(attempt.duration_ms, 1),
        "verdict": attempt.verdict,
        "measured": "measured here",
        "findings": [
            {
                "rule": finding.rule,
                "what": finding.what,
                "why": finding.why,
                "next_step": finding.next_step,
                "level": finding.level,
                "confidence": finding.confidence,
            }
            for finding in attempt.diagnosis.findings
        ],
        "steps": [
            {"name": step.name, "ok": step.ok, "duration_ms": round(step.duration_ms, 1), "note": step.note}
            for step in attempt.steps
        ],
    }


def _attempt(options: argparse.Namespace) -> int:
    elsewhere = _take_region_of_url(options)
    with lab_of(options) as lab:
        attempts = [_as_asked(lab, options)]
        if elsewhere:
            print("The URL belongs to no region: the form that works is not tried.", file=sys.stderr)
        elif lab.has_deployment:
            attempts.append(lab.attempt(credential="guest", placement="first_frame", proxy=options.proxy))
        else:
            print("No --deployment-id: the form that works cannot be tried.", file=sys.stderr)
        works = attempts[-1].ok
        if options.json:
            documents = [attempt_document(attempt) for attempt in attempts]
            print(json.dumps({"ok": works, "region": lab.region.name, "attempts": documents}))
        else:
            second = "As it works" if works else "The form that should work"
            for title, attempt in zip(("As tried", second), attempts, strict=False):
                told = advice_as_flags(str(attempt), options.parser)
                print(printable(f"{title} (measured here)\n  {attempt.url}\n{told}\n"))
    return DONE if works else FINDING


def _take_region_of_url(options: argparse.Namespace) -> bool:
    """Let a whole URL say where it is, so that both forms go to one place; whether it is nowhere known."""
    if not options.url or options.region or os.environ.get("GUESTLAB_REGION"):
        return False
    try:
        Region.of(options.url)
    except RegionError:
        return True
    options.region = options.url
    return False


def _as_asked(lab: Lab, options: argparse.Namespace) -> Attempt:
    """The attempt the person wants to see fail: by default the forum question's."""
    asked = options.credential or options.placement or options.deployment or options.url
    credential = options.credential or ("none" if options.url or options.deployment else "client_credentials")
    placement = options.placement or ("nowhere" if credential == "none" else "query")
    if options.placement and not options.credential:
        credential = "client_credentials"
    given: dict[str, Any] = {"url": options.url} if options.url else {}
    if not options.url and (options.deployment or not asked or not lab.has_deployment):
        given["deployment_id"] = options.deployment or "missing"
    return lab.attempt(
        credential=credential,
        placement=placement,
        parameter=options.parameter,
        proxy=options.proxy,
        **given,
    )


def _matrix(options: argparse.Namespace) -> int:
    with lab_of(options) as lab:
        matrix = lab.matrix(
            options.credentials,
            options.placements,
            options.deployments,
            options.origins,
            crossed=options.crossed,
            confirm=_confirm(options, lab),
        )
        if options.json:
            cells = [_cell_document(cell) for cell in matrix.cells]
            print(json.dumps({"answer": matrix.answer, "region": lab.region.name, "attempts": cells}))
        else:
            print(printable(str(matrix)))
    return DONE


def _cell_document(cell: Cell) -> dict[str, Any]:
    return {
        "credential": cell.setting.credential,
        "placement": cell.setting.placement,
        "deployment": cell.setting.deployment,
        "origin": cell.setting.origin,
        "ok": cell.ok,
        "step": cell.step,
        "http_status": cell.http_status,
        "frame_code": cell.frame_code,
        "close_code": cell.close_code,
        "duration_ms": round(cell.duration_ms, 1),
        "rules": list(cell.diagnosis.rules),
        "verdict": cell.verdict,
    }


def _preflight(options: argparse.Namespace) -> int:
    with lab_of(options) as lab:
        found = lab.preflight(search_regions=options.search_regions, proxy=options.proxy)
        if options.json:
            print(json.dumps({"region": lab.region.name, **found.document()}))
        else:
            print(printable(as_flags(str(found), options.parser)))
    return DONE if found.ok else FINDING


def _snippet(options: argparse.Namespace) -> int:
    from guestlab.snippets import snippet

    with lab_of(options) as lab:
        attempt = lab.handshake()
        text = snippet(attempt, options.format)
        if not attempt.ok:
            tried = "It was refused" if attempt.was_answered else "Not tried, nothing answered"
            print(
                printable(f"{tried}: {attempt.verdict}. The code is complete all the same."), file=sys.stderr
            )
        if lab.sandbox:
            print(
                "The address in it is the embedded sandbox's, which ends with this command: say --region, or "
                "start guestlab sandbox and give its address.",
                file=sys.stderr,
            )
        if options.json:
            print(json.dumps({"format": options.format, "snippet": text}))
        else:
            print(text)
    return DONE if attempt.ok else FINDING


def _probe(options: argparse.Namespace) -> int:
    from guestlab.probe import probe

    with lab_of(options) as lab:
        document = probe(
            lab, inactive=options.inactive, between=options.between, confirm=_confirm(options, lab)
        )
    text = json.dumps(document, indent=2, ensure_ascii=False)
    if options.record != "-":
        write_text(options.record, text + "\n")
    if options.json or options.record == "-":
        print(text)
    else:
        count = len(document["observations"])
        print(f"{count} answers written to {options.record}. Read it before you give it away.")
    return DONE


def _confirm(options: argparse.Namespace, lab: Lab) -> Callable[[int], bool] | bool:
    """Ask on the terminal; where there is none, somebody must have said --yes."""
    if options.yes:
        return True

    def asked(number: int) -> bool:
        if not sys.stdin.isatty():
            raise InputError(
                f"This would make {number} requests to {lab.region.name}.",
                why="More than a few are made only when somebody has said so; here is no terminal to ask.",
                next_step="Pass --yes.",
            )
        print(f"This makes {number} requests to {lab.region.name}. Go on? [y/N] ", end="", file=sys.stderr)
        sys.stderr.flush()
        return sys.stdin.readline().strip().lower() in {"y", "yes"}

    return asked
