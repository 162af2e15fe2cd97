"""Frame codes: the numbers that travel inside frames (lane: frame).

Lives here: what each code means, what the client should do, and whether it is final while a session is
being configured. The same number may be final then and a mere notice later; `guest.py` knows the phase.
Close codes are another lane and stand in `frames.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["AUTHENTICATION_LOST", "ERROR_CODES", "ErrorCode", "describe_error"]

# How a 403 begins when an authenticated session lost its sign-in (official: MyPureCloud mobile
# transport SDK 2.14.0). Compared without case.
AUTHENTICATION_LOST = ("session authentication failed", "try to authenticate again")


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorCode:
    """One row of the frame-code table.

    Attributes:
        code: The number (lane: frame).
        name: A short name.
        meaning: What happened, in one sentence.
        next_step: What the client should do.
        level: How sure the row is: official, documented, measured or inferred.
        fatal_while_connecting: The configure was refused for good; once configured it is a notice.
        ends_session: The session is over in every phase.
        transient: A later try may succeed without any change.
        refuses_send: Without a tracing id it speaks of the oldest message in flight.
    """

    code: int
    name: str
    meaning: str
    next_step: str
    level: str
    fatal_while_connecting: bool = True
    ends_session: bool = False
    transient: bool = False
    refuses_send: bool = False


# Rules of this table:
# - every error is final while a session is being configured, except 429 and 4029 (wait and ask again);
#   401 is not final either when the configure was an authenticated one (refresh the JWT, three tries)
# - once configured, every error is a notice, except those with `ends_session`
# - 4011, 4013 and 4029 refuse the message in flight and leave the session alive
# - a number that is not here is read by its hundred (4xx, 5xx), else as 5000
_ROWS = (
    ErrorCode(
        code=400,
        name="bad request",
        meaning="The request is malformed, or names a deployment that does not exist.",
        next_step="Compare the frame with a working one; check the deployment id and the region.",
        level="official",
    ),
    ErrorCode(
        code=401,
        name="unauthorized",
        meaning="The JWT of an authenticated configure is wrong or expired.",
        next_step="Refresh the JWT and configure again, three times at most.",
        level="official",
    ),
    ErrorCode(
        code=403,
        name="forbidden",
        meaning="The deployment does not allow this, or the sign-in was lost.",
        next_step="Read the text: switch the feature on in the deployment, or sign in again.",
        level="official",
    ),
    ErrorCode(
        code=404,
        name="not found",
        meaning="The object does not exist.",
        next_step="Check the id that was sent.",
        level="official",
    ),
    ErrorCode(
        code=408,
        name="time-out",
        meaning="The service took too long.",
        next_step="Try again later.",
        level="official",
        transient=True,
    ),
    ErrorCode(
        code=409,
        name="conflict",
        meaning="The session is read-only: the conversation was disconnected.",
        next_step="Close the session and configure with start_new=True.",
        level="documented",
    ),
    ErrorCode(
        code=429,
        name="too many requests",
        meaning="A budget is used up; the request was not accepted.",
        next_step="Wait as long as retryAfter says, then send the same frame again.",
        level="official",
        fatal_while_connecting=False,
        transient=True,
        refuses_send=True,
    ),
    ErrorCode(
        code=500,
        name="server error",
        meaning="The service failed.",
        next_step="Try again later.",
        level="official",
        transient=True,
    ),
    ErrorCode(
        code=4000,
        name="feature unavailable",
        meaning="Attachments are switched off for this deployment.",
        next_step="Allow attachments in the deployment's messenger configuration.",
        level="official",
    ),
    ErrorCode(
        code=4001,
        name="file type invalid",
        meaning="This type of file is not allowed.",
        next_step="Send a type listed in the session's allowed media.",
        level="documented",
    ),
    ErrorCode(
        code=4002,
        name="file too large",
        meaning="The file is larger than the deployment allows.",
        next_step="Send a smaller file; the limit is in the session's allowed media.",
        level="official",
    ),
    ErrorCode(
        code=4003,
        name="file content invalid",
        meaning="The content scan failed or the content does not match the type.",
        next_step="Check that the file is what its name and type say.",
        level="official",
    ),
    ErrorCode(
        code=4004,
        name="file name invalid",
        meaning="The file name is not acceptable.",
        next_step="Use a plain name with an extension.",
        level="official",
    ),
    ErrorCode(
        code=4005,
        name="file name too long",
        meaning="The file name reaches 1024 characters.",
        next_step="Send it under a shorter name.",
        level="documented",
    ),
    ErrorCode(
        code=4006,
        name="session expired",
        meaning="The session was idle for too long.",
        next_step="Configure again; the same guest token gets a new session.",
        level="official",
        ends_session=True,
    ),
    ErrorCode(
        code=4007,
        name="session not found",
        meaning="The server knows no session of this guest token: unknown token, or nothing configured.",
        next_step="Send configureSession first.",
        level="official",
        ends_session=True,
    ),
    ErrorCode(
        code=4008,
        name="attachment expired",
        meaning="The attachment or its URL has expired.",
        next_step="Ask for a fresh download URL.",
        level="official",
    ),
    ErrorCode(
        code=4009,
        name="attachment not found",
        meaning="There is no such attachment.",
        next_step="Check the attachment id.",
        level="official",
    ),
    ErrorCode(
        code=4010,
        name="attachment not uploaded",
        meaning="The attachment was sent before its upload succeeded.",
        next_step="Wait for the upload's success event, then send the message.",
        level="official",
    ),
    ErrorCode(
        code=4011,
        name="message too long",
        meaning="The text is longer than 4096.",
        next_step="Shorten the text or send it in parts.",
        level="documented",
        refuses_send=True,
    ),
    ErrorCode(
        code=4013,
        name="custom attributes too large",
        meaning="The custom attributes are larger than 2048 bytes.",
        next_step="Send fewer or shorter attributes.",
        level="official",
        refuses_send=True,
    ),
    ErrorCode(
        code=4017,
        name="cannot downgrade",
        meaning="The guest token belongs to an authenticated session; a guest configure cannot have it.",
        next_step="Throw the guest token away and configure with a new one.",
        level="official",
        ends_session=True,
    ),
    ErrorCode(
        code=4020,
        name="missing parameter",
        meaning="The request lacks a field.",
        next_step="Compare the frame with a working one.",
        level="official",
    ),
    ErrorCode(
        code=4029,
        name="request rate too high",
        meaning="Messages come faster than the session's budget.",
        next_step="Wait as long as retryAfter says, then send the same frame again.",
        level="official",
        fatal_while_connecting=False,
        transient=True,
        refuses_send=True,
    ),
    ErrorCode(
        code=4102,
        name="file empty",
        meaning="The file has no bytes.",
        next_step="Send a file with content.",
        level="official",
    ),
    ErrorCode(
        code=5000,
        name="unexpected error",
        meaning="The service met something it did not expect.",
        next_step="Try again later; quote the tracing id to support if it stays.",
        level="official",
        transient=True,
    ),
)

ERROR_CODES: dict[int, ErrorCode] = {row.code: row for row in _ROWS}


def describe_error(code: int | None) -> ErrorCode:
    """Look a frame code up; a number nobody documented is read by its hundred, else as 5000.

    >>> describe_error(4011).name
    'message too long'
    >>> describe_error(422).code
    400
    """
    row = ERROR_CODES.get(code) if code is not None else None
    if row is not None:
        return row
    if code is not None and 400 <= code < 600:
        return ERROR_CODES[400 if code < 500 else 500]
    return ERROR_CODES[5000]
