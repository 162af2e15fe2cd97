"""Opening, resuming, joining and leaving sessions: the configure and close actions.

Rules (vendor documentation and the mobile SDK's behaviour): a token never seen, or whose session has
expired or was cleared, gets a new session; a living one is resumed; a fourth connection pushes out the
oldest; `startNew` replaces; a token used signed-in can't be used anonymously again (4017).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guestlab.sandbox.frames import FrameRefusal, TooFast, envelope
from guestlab.sandbox.windows import Window

if TYPE_CHECKING:
    from guestlab.sandbox.deployments import Deployment
    from guestlab.sandbox.frames import Asked
    from guestlab.sandbox.messaging import Messaging
    from guestlab.sandbox.sessions import Connection, Session

__all__ = [
    "close_session",
    "configure",
    "configure_authenticated",
    "disconnect_customer",
    "get_configuration",
    "resume_token",
    "session_body",
]

SIGNED_IN = {"reason": "signedIn", "reasonCode": "signedIn"}
"""Sources disagree about the field's name; both are sent."""


def configure(messaging: Messaging, connection: Connection, asked: Asked) -> int:
    """`configureSession`: open or resume the session of a guest token."""
    deployment = _deployment(messaging, connection, asked)
    start_new = asked.fields.get("startNew") is True
    _spend(messaging, deployment, asked.token)
    session = messaging.find(deployment, asked.token)
    if session is not None and session.person is not None:
        raise FrameRefusal(4017, "Cannot downgrade to an unauthenticated session")
    new = session is None or start_new
    if session is None or start_new:
        messaging.detach(connection)  # the caller of startNew is not told that its old session is closed
        session = messaging.open(deployment, asked.token)
    messaging.attach(connection, session, asked.token)
    _welcome(messaging, connection, session, asked, new=new)
    return 200


def configure_authenticated(messaging: Messaging, connection: Connection, asked: Asked) -> int:
    """`configureAuthenticatedSession`: sign in, or step up a running guest session."""
    deployment = _deployment(messaging, connection, asked)
    if not deployment.auth:
        raise FrameRefusal(403, "Turn on the Feature Toggle or fix the configuration.")
    data = asked.fields.get("data")
    code = data.get("code") if isinstance(data, dict) else None
    person = messaging.sign_ins.person(code, deployment) if isinstance(code, str) else None
    if person is None:
        raise FrameRefusal(401, "User is unauthorized")
    _spend(messaging, deployment, asked.token)
    session = messaging.find(deployment, asked.token)
    start_new = asked.fields.get("startNew") is True
    cleared = new = False
    if session is not None and not start_new and session.person is None:
        if not deployment.session_upgrade:
            raise FrameRefusal(403, "Turn on the Feature Toggle or fix the configuration.")
        cleared = _step_up(messaging, connection, session, person)
        messaging.attach(connection, session, asked.token)
        names = {"firstName": person.first_name, "lastName": person.last_name}
        event = {"eventType": "Presence", "presence": {"type": "SignIn"}}
        messaging.dialogue.noticed(session, [event], stored=True, sender=names)
    else:
        if session is not None and session.person is not None and session.person is not person:
            raise FrameRefusal(403, "Session authentication failed")
        if session is None:
            session = messaging.session_of_person(deployment, person)  # another device of the same person
        if session is None or start_new:
            messaging.detach(connection)
            session, new = messaging.open(deployment, asked.token, person=person), True
        messaging.attach(connection, session, asked.token)
    _welcome(messaging, connection, session, asked, new=new, cleared=cleared)
    return 200


def _step_up(messaging: Messaging, connection: Connection, session: Session, person: Any) -> bool:
    """Make a guest session the person's own; whether an older session of theirs had to go."""
    older = messaging.session_of_person(session.deployment, person)
    if older is not None and older is not session:
        messaging.end(older, "taken over", closed_event=SIGNED_IN, spare=connection)
    session.person = person
    if session.conversation is not None:
        customer = session.conversation.participant("customer")
        if customer is not None:
            customer.authenticated, customer.name = True, person.name
    return older is not None and older is not session


def close_session(messaging: Messaging, connection: Connection, asked: Asked) -> int:
    """`closeSession`: leave, alone or with every connection; the conversation goes on."""
    session = connection.session
    assert session is not None
    everybody = asked.fields.get("closeAllConnections")
    if not isinstance(everybody, bool):
        raise FrameRefusal(400, "Request failed: closeAllConnections is missing")
    if everybody:
        for other in [other for other in session.connections if other is not connection]:
            messaging.push_out(other, {})
        session.closed = session.read_only
    messaging.detach(connection)
    body = {"connected": False, "newSession": False, "readOnly": everybody or session.read_only}
    connection.push(envelope("SessionResponse", body, tracing_id=asked.tracing_id))
    return 200


def get_configuration(messaging: Messaging, connection: Connection, asked: Asked) -> int:
    """`getConfiguration`: the same media facts as a SessionResponse."""
    deployment = _deployment(messaging, connection, asked)
    body = {
        "allowedMedia": deployment.media(),
        "blockedExtensions": list(deployment.blocked_extensions),
        "maxCustomDataBytes": messaging.sizes.custom_attributes_bytes,
        "messageRoutingEnabled": True,
        "sessionDurationSeconds": deployment.session_seconds,
    }
    connection.push(envelope("GetConfigurationResponse", body, tracing_id=asked.tracing_id))
    return 200


def resume_token(messaging: Messaging, connection: Connection, asked: Asked) -> int:
    """`resumeToken`: a name without a known use; the answer's shape is the model's (level: inferred)."""
    body = {"resumeToken": messaging.world.new_opaque(43), "exp": int(messaging.world.now()) + 60}
    connection.push(envelope("ResumeTokenResponse", body, tracing_id=asked.tracing_id))
    return 200


def disconnect_customer(messaging: Messaging, connection: Connection, asked: Asked) -> int:
    """`disconnectCustomer`: a name without a known use; here the customer leaves (level: inferred)."""
    session = connection.session
    assert session is not None
    if session.conversation is not None:
        messaging.world.conversations.end(session.conversation, "client")
    connection.push(envelope("string", "OK", tracing_id=asked.tracing_id))
    return 200


def session_body(
    messaging: Messaging, session: Session, *, new: bool, cleared: bool = False
) -> dict[str, Any]:
    """The body of a SessionResponse, every field filled."""
    deployment = session.deployment
    return {
        "connected": True,
        "newSession": new,
        "readOnly": session.read_only,
        "allowedMedia": deployment.media(),
        "blockedExtensions": list(deployment.blocked_extensions),
        "maxCustomDataBytes": messaging.sizes.custom_attributes_bytes,
        "clearedExistingSession": cleared,
        "durationSeconds": deployment.session_seconds,
        "expirationDate": int(session.expires_at),
    }


def _deployment(messaging: Messaging, connection: Connection, asked: Asked) -> Deployment:
    found = messaging.world.deployments.find(asked.text("deploymentId"))
    if found is None or found.id != connection.deployment.id:
        raise FrameRefusal(400, "Deployment not found")
    return found


def _spend(messaging: Messaging, deployment: Deployment, token: str) -> None:
    limits = messaging.world.limits
    if limits is None:
        return
    window = messaging.configure_windows.setdefault((deployment.id, token), Window())
    wait = window.wait(messaging.world.now(), limits.configures_per_minute_per_session, 60.0)
    if wait:
        raise TooFast(wait, "Configure rate too high for this session")


def _welcome(
    messaging: Messaging,
    connection: Connection,
    session: Session,
    asked: Asked,
    *,
    new: bool,
    cleared: bool = False,
) -> None:
    body = session_body(messaging, session, new=new, cleared=cleared)
    body["connected"] = not session.closed  # a closed read-only session is shown, not joined
    if session.closed:
        messaging.detach(connection)
    connection.push(envelope("SessionResponse", body, tracing_id=asked.tracing_id))
