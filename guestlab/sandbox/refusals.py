"""What the platform's REST services refuse with: its error codes, their statuses and wording.

Rows of the codes the Platform API's OpenAPI document gives for its operations (level: official), used by
every REST room. The envelope and its correlation id are added in `calls.py`.
"""

from __future__ import annotations

from typing import Any

__all__ = ["REFUSALS", "Refusal"]

# code → (HTTP status, wording; `{}` parts are filled from messageParams)
REFUSALS: dict[str, tuple[int, str]] = {
    "bad.request": (400, "The request could not be understood by the server due to malformed syntax."),
    "constraint.validation": (400, "{reason}"),
    "invalid.value": (
        400,
        "Value [{value}] is not valid for field type [{type}]. Allowable values are: {allowed}",
    ),
    "invalid.date": (
        400,
        "Dates must be specified as ISO-8601 strings. For example: yyyy-MM-ddTHH:mm:ss.SSSZ",
    ),
    "missing.required.field.value": (400, "Value for field [{field}] is missing."),
    "notification.webhook.signature.secret.token.longer.than.15.characters": (
        400,
        "The outbound notification webhook signature secret token must be longer than 15 characters.",
    ),
    "invalid.outbound.webhook.url": (400, "The outbound notification webhook URL is not valid."),
    "missing.open.channel.date": (400, "The channel's time is missing."),
    "parameters.missing": (400, "Missing or invalid parameters."),
    "max.length.exceeded": (400, "The message is longer than {limit} characters."),
    "credentials.expired": (400, "The supplied credentials are expired and cannot be used."),
    "required.fields.missing": (400, "Required fields are missing: {fields}"),
    "request.body.empty": (400, "The request body is empty."),
    "not.a.user": (
        400,
        (
            "This request requires a user context. Client credentials cannot be used for requests to this "
            "resource."
        ),
    ),
    "not.a.client": (
        400,
        "This request requires a non-user context. User token cannot be used for requests to this resource.",
    ),
    "notification.subscription.too.many.subscriptions": (400, "Too many subscriptions"),
    "notification.invalid.topic": (400, "The subscription topic is not valid."),
    "invalid.query.param.value": (
        400,
        "Value [{value}] is not valid for parameter [{parameter}]. Allowable values are: {allowed}",
    ),
    "active.conversation": (400, "An alerting or connected conversation is already in progress."),
    "invalid.webmessaging.text.body": (
        400,
        "The request needs a textBody not empty and under 4000 characters.",
    ),
    "authentication.required": (
        401,
        "No authentication bearer token specified in authorization header.",
    ),
    # the sandbox's own, on its control plane alone
    "control.key.wrong": (
        401,
        "The control plane wants the header {header}: `guestlab sandbox --json` prints it as control_key.",
    ),
    "bad.credentials": (401, "Invalid login credentials."),
    "missing.permissions": (
        403,
        "Unable to perform the requested action. You are missing the following permission(s): {permissions}",
    ),
    "missing.any.permissions": (
        403,
        (
            "Unable to perform the requested action. You must have at least one of the following "
            "permissions assigned: {permissions}"
        ),
    ),
    "app.not.authorized.for.scope": (403, "App not authorized to use scope {scope}"),
    "notification.unauthorized.topic": (403, "Not authorized for this topic."),
    "notification.forbidden.topic": (403, "Topic is forbidden"),
    "not.authorized": (403, "You are not authorized to perform the requested action."),
    "feature.toggle.disabled": (403, "The feature is not enabled."),
    "not.found": (404, "The requested resource was not found."),
    "web.chat.retired": (
        404,
        "Web chat v2 has ended. Its successor is web messaging, wss://webmessaging.REGION/v1.",
    ),
    "no.such.path": (404, "The requested operation failed with status 404"),
    "conversation.error.conversation.not.found": (404, "The conversation does not exist."),
    "conversation.not.found": (404, "A conversation for the provided conversationId was not found."),
    "entity.not.found": (404, "Subscription list not found."),
    "client.not.found": (404, "Client was not found."),
    "method.not.allowed": (405, "HTTP 405 Method Not Allowed"),
    "session.expired": (404, "The session has expired."),
    "session.not.found": (404, "Session was not found."),
    "deployment.not.found": (404, "The deployment was not found."),
    "device.not.found": (404, "The device was not found."),
    "device.already.registered": (409, "The device is already registered."),
    "request.conflict": (409, "The request conflicts with the current state of the target resource."),
    "resource.conflict": (409, "Resource is used by another"),
    "request.entity.too.large": (413, "The request is over the size limit. Maximum bytes: {limit}"),
    "unsupported.media.type": (
        415,
        "Unsupported Media Type - Only application/json media type is accepted.",
    ),
    "too.many.requests": (
        429,
        "Rate limit exceeded the maximum [{limit}] requests within [{seconds}] seconds",
    ),
    "internal.server.error": (
        500,
        "The server encountered an unexpected condition which prevented it from fulfilling the request.",
    ),
}


class Refusal(Exception):  # noqa: N818 - an answer, not one of our errors
    """An operation is refused with one of the platform's codes.

    Args:
        code: A row of `REFUSALS`.
        headers: Extra response headers.
        params: What fills the wording; shown as `messageParams`.
    """

    def __init__(self, code: str, *, headers: dict[str, str] | None = None, **params: Any) -> None:
        super().__init__(code)
        self.status, self.template = REFUSALS[code]
        self.code = "not.found" if code in {"no.such.path", "web.chat.retired"} else code
        self.headers = headers or {}
        self.params = {key: str(value) for key, value in params.items()}

    def envelope(self, correlation_id: str) -> dict[str, Any]:
        """The error body as the platform writes it."""
        body: dict[str, Any] = {
            "message": self.template.format_map(self.params) if self.params else self.template,
            "code": self.code,
            "status": self.status,
            "contextId": correlation_id,
            "details": [],
            "errors": [],
        }
        if self.params:
            body["messageWithParams"] = self.template
        body["messageParams"] = self.params
        return body
