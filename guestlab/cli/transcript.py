"""`guestlab transcript`: read a conversation back from the platform, by access token."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from guestlab.cli.output import DONE, FINDING, add_command, printable
from guestlab.cli.where import add_where, lab_of

if TYPE_CHECKING:
    import argparse

__all__ = ["add"]

KEYS = "conversation_id sources[{source state rows note next_step}] messages[{time direction type text}]"
SOURCES = ("messages", "analytics", "recordings")

EXAMPLES = (
    "guestlab transcript 3d2f0c1e-0000-4000-8000-000000000001 --region mypurecloud.de",
    "guestlab transcript --message 5b1c… --source messages --out conversation.jsonl",
)


def add(commands: Any) -> None:
    """Add the command."""
    told = add_command(
        commands, "transcript", _transcript, "read a conversation back by access token", KEYS, EXAMPLES
    )
    told.description = (
        "Read a conversation back by access token (GUESTLAB_CLIENT_ID and _SECRET). "
        "Exit status 1 where a source was refused (it names the permission) or nothing was found."
    )
    told.add_argument("conversation", nargs="?", metavar="CONVERSATION_ID", help="which conversation")
    told.add_argument("--message", metavar="MESSAGE_ID", help="or the id of one of its messages")
    told.add_argument("--source", action="append", choices=SOURCES, help="only this source; may be repeated")
    told.add_argument("--out", metavar="FILE", help="also write it as JSON Lines")
    add_where(told)


def _transcript(options: argparse.Namespace) -> int:
    if bool(options.conversation) == bool(options.message):
        options.parser.error("give a conversation's id, or --message with the id of one of its messages")
    with lab_of(options) as lab:
        id_ = options.conversation or lab.conversation_of(options.message)
        transcript = lab.transcript(id_, sources=options.source or SOURCES)
        if options.out:
            lab.log.to_jsonl(options.out)
        messages = lab.log.messages
    said = messages[["time", "direction", "type", "text"]].astype("str").to_dict("records")
    if options.json:
        sources = [
            {"source": s.source, "state": s.state, "rows": s.rows, "note": s.note, "next_step": s.next_step}
            for s in transcript.sources
        ]
        print(json.dumps({"conversation_id": id_, "sources": sources, "messages": said}))
    else:
        print(printable(str(transcript)))
        for row in said:
            print(printable(f"{row['time'][:19]}  {row['direction']:>8}  {row['text']}"))
    missing = transcript.refused or not any(
        source.state in {"found", "empty"} for source in transcript.sources
    )
    return FINDING if missing else DONE
