"""Messenger deployments: their switches, their public documents, and who may connect.

`config.json` and `domains.json` are what the CDN serves without any credential. Every field the official
mobile transport's parser demands is there. The domain rule is the browser messenger's: host part only,
any case, equal or a subdomain; how the server itself matches is not documented (level: inferred).
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from guestlab.errors import SandboxError

if TYPE_CHECKING:
    from guestlab.sandbox.origins import Origin

__all__ = ["Deployment", "Deployments"]

BLOCKED_EXTENSIONS = (".ade", ".adp", ".bat", ".cmd", ".com", ".dll", ".exe", ".js", ".msi", ".scr", ".vbs")


@dataclass(slots=True, kw_only=True)
class Deployment:
    """One messenger deployment. Its attributes may be changed while the sandbox runs."""

    id: str
    name: str = "Messenger"
    status: str = "Active"
    """Pending, Active, Inactive, Error or Deleting."""
    allow_all_domains: bool = True
    allowed_domains: tuple[str, ...] = ()
    auto_start: bool = False
    disconnect: str | None = "Send"
    """What the guest sees when the agent ends: None nothing, "Send" or "ReadOnly"."""
    clear: bool = True
    """Whether the guest may end the conversation (Presence Clear)."""
    user_typing: bool = True
    agent_typing: bool = True
    attachments: bool = True
    file_types: tuple[str, ...] = ("*/*",)
    max_file_kb: int = 10_240
    blocked_extensions: tuple[str, ...] = BLOCKED_EXTENSIONS
    markdown: bool = True
    session_seconds: int = 259_200
    """How long a session lives after its last message: 72 hours by default."""
    auth: bool = False
    """Whether guests may sign in."""
    session_upgrade: bool = False
    """Whether a guest session may become an authenticated one (step-up)."""
    messenger: bool = True
    headless: bool = True
    push: bool = False
    languages: tuple[str, ...] = ("en-us",)
    version: str = "1"
    configuration_id: str = ""
    """The configuration it is on; its own, under its own id, unless put on another."""
    bot_name: str = "Bot"

    def allows(self, origin: str | None) -> bool:
        """Whether a request with this `Origin` header may connect."""
        if self.allow_all_domains:
            return True
        host = _host(origin or "")
        return any(
            host == domain or host.endswith("." + domain)
            for domain in map(_host, self.allowed_domains)
            if host
        )

    def media(self) -> dict[str, Any]:
        """`allowedMedia` of a SessionResponse; `{}` inside says attachments are off."""
        if not self.attachments:
            return {"inbound": {}}
        types = [{"type": name} for name in self.file_types]
        return {"inbound": {"fileTypes": types, "maxFileSizeKB": self.max_file_kb}}

    def config(self, origin: Origin) -> dict[str, Any]:
        """The public `config.json`, its addresses the way the client came."""
        disconnect: dict[str, Any] = {"enabled": self.disconnect is not None}
        disconnect["type"] = self.disconnect or "Send"
        conversations = {
            "enabled": True,
            "messagingEndpoint": origin.url("webmessaging", socket=True),
            "showAgentTypingIndicator": self.agent_typing,
            "showUserTypingIndicator": self.user_typing,
            "autoStart": {"enabled": self.auto_start},
            "conversationDisconnect": disconnect,
            "conversationClear": {"enabled": self.clear},
            "notifications": {"enabled": self.push, "notificationContentType": "IncludeMessagesContent"},
            "markdown": {"enabled": self.markdown},
            "humanize": {"enabled": True, "bot": {"name": self.bot_name}},
            "sessionDurationSeconds": self.session_seconds,
        }
        modes = [{"fileTypes": list(self.file_types), "maxFileSizeKB": self.max_file_kb}]
        return {
            "id": self.id,
            "version": self.version,
            "status": "Active" if self.status == "Active" else "Inactive",
            "headlessMode": {"enabled": self.headless},
            "languages": list(self.languages),
            "defaultLanguage": self.languages[0],
            "apiEndpoint": origin.url("api"),
            "messenger": {
                "enabled": self.messenger,
                "apps": {"conversations": conversations, "knowledge": {"enabled": False}},
                "styles": {"primaryColor": "#2a60c8"},
                "launcherButton": {"visibility": "On"},
                "homeScreen": {"enabled": False},
                "fileUpload": {
                    "enableAttachments": self.attachments,
                    "modes": modes if self.attachments else [],
                },
            },
            "position": {"alignment": "Auto", "sideSpace": 20, "bottomSpace": 12},
            "cobrowse": {"enabled": False},
            "journeyEvents": {"enabled": False},
            "auth": {"enabled": self.auth, "allowSessionUpgrade": self.session_upgrade},
            "customI18nLabels": [],
        }

    def domains(self) -> dict[str, Any]:
        """The public `domains.json`."""
        return {"allowAllDomains": self.allow_all_domains, "allowedDomains": list(self.allowed_domains)}

    def document(self) -> dict[str, Any]:
        """The deployment as the administration's REST calls show it."""
        return {
            "id": self.id,
            "name": self.name,
            "status": self.status,
            "snippet": f'<script data-deployment="{self.id}"></script>',
            **self.domains(),
            "configuration": {
                "id": self.configuration_id,
                "version": self.version,
                "name": f"{self.name} configuration",
            },
            "selfUri": f"/api/v2/webdeployments/deployments/{self.id}",
        }


def _host(text: str) -> str:
    """The host of an origin or of a bare domain, lower case; "" when there is none."""
    try:
        return (urlsplit(text if "//" in text else f"//{text}").hostname or "").rstrip(".")
    except ValueError:
        return ""


_SWITCHES = frozenset(part.name for part in fields(Deployment)) - {"id"}


@dataclass(slots=True)
class Deployments(Sequence[Deployment]):
    """The organisation's deployments, in the order they were added."""

    _new_id: Callable[[str], str] = field(repr=False)
    _by_id: dict[str, Deployment] = field(default_factory=dict)

    def add(
        self, *, allowed_domains: Sequence[str] | None = None, label: str | None = None, **switches: Any
    ) -> Deployment:
        """Add a deployment; switches are the attributes of `Deployment`.

        Args:
            allowed_domains: Restricts who may connect; None allows every domain.
            label: What its id is derived from; by default its number.
            switches: For example `status="Inactive"`, `auto_start=True`, `disconnect="ReadOnly"`.

        Raises:
            SandboxError: There is no such switch.
        """
        unknown = sorted(set(switches) - _SWITCHES)
        if unknown:
            close = difflib.get_close_matches(unknown[0], _SWITCHES, n=1)
            raise SandboxError(
                f"A deployment has no switch {unknown[0]!r}.",
                why=f"It has {', '.join(sorted(_SWITCHES))}.",
                next_step=f"Did you mean {close[0]}?" if close else "Take one of these.",
            )
        deployment_id = self._new_id(label or f"deployment {len(self._by_id)}")
        if allowed_domains is not None:
            switches.setdefault("allow_all_domains", False)
            switches["allowed_domains"] = tuple(allowed_domains)
        switches.setdefault("configuration_id", deployment_id)
        deployment = Deployment(id=deployment_id, **switches)
        self._by_id = {**self._by_id, deployment.id: deployment}  # readers in other threads keep theirs
        return deployment

    def find(self, deployment_id: str | None) -> Deployment | None:
        """The deployment of this id, in any case, or None."""
        return self._by_id.get((deployment_id or "").lower())

    def remove(self, deployment_id: str) -> None:
        """Delete one."""
        self._by_id = {key: value for key, value in self._by_id.items() if key != deployment_id}

    def __getitem__(self, key: Any) -> Any:
        return self._by_id[key] if isinstance(key, str) else list(self._by_id.values())[key]

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Deployment]:
        return iter(list(self._by_id.values()))
