"""Reads the symptom in a person's own words: which subjects it touches, which regions it names.

The phrases are in `subjects.py`. A subject found here is a hint, never a proof: a finding that rests on the
note alone is only likely. Pure.
"""

from __future__ import annotations

import re
from functools import cache, cached_property

from guestlab.handshake.hosts import read_host
from guestlab.handshake.network_words import ended_at_by_words
from guestlab.handshake.subjects import SUBJECTS
from guestlab.regions import REGIONS, Region

__all__ = ["Note"]


@cache
def _subjects() -> dict[str, re.Pattern[str]]:
    return {name: re.compile("|".join(phrases), re.IGNORECASE) for name, phrases in SUBJECTS.items()}


_COMPLAINT = re.compile(
    r"\b(?:fail\w*|errors?|refus\w+|reject\w+|denied|forbidden|unauthori[sz]ed|invalid|wrong|broken|problem"
    r"|trouble|issue|no|not|n't|never|nothing|none|cannot|can't|don't|doesn't|isn't|won't|without|missing|lost"
    r"|gone|empty|drops?|closes|closed|disconnects?|dies|dead|times? out|timed out|hangs?|stuck|slow|ignored"
    r"|stripped|twice|duplicat\w*|bad|crash\w*|exception|why|how|which|what|where|should|need|want|wants|must"
    r"|(?:is|are|seems|went|goes) down|unreachable|unavailable"
    r"|strange\w*|weird\w*|odd(?:ly)?|unexpected\w*|\w{1,60}(?:Error|Exception)|traceback"
    r"|blocked|only|stops?|stopped|ends?|expires?|kicked|thrown|holes?|doubles|overlap\w*|although|however|but"
    r"|again|instead|old|silent|[1-5]\d\d|40\d\d|10[01]\d)\b",
    re.IGNORECASE,
)
"""Words in which a complaint or a question is dressed."""
_SYMPTOMS = frozenset(
    {"lost", "twice", "drops", "silence", "not seen", "cannot write", "stays open", "misrouted", "order",
     "shows no refusal", "no resolve", "rate"}
)  # fmt: skip
"""Subjects that are complaints by themselves."""
_CONTENT = re.compile(
    r"\b(?:no|without|not a single|any) (?:any |more )*(?:errors?|problems?|issues?|complaints?|failures?)\b"
    r"|nothing (?:is )?wrong|(?:works?|worked|working|runs?|fine|good|ok|okay)\b"
    r"(?: (?:fine|well|as expected|now))?"
    r"|\b\d{1,6} ?(?:ms|s|sec\w*|min\w*)\b|as it should|\b(?:101|200|201|202|204)\b",
    re.IGNORECASE,
)
"""Words that sound like a complaint and are none; taken out first."""

_ADDRESS = re.compile(r"\b(?:wss?|https?)://[^\s\"'<>]+")

_PLACES = {
    "frankfurt": "mypurecloud.de",
    "germany": "mypurecloud.de",
    "german (?:org|region|account|tenant|instance)": "mypurecloud.de",
    "ireland": "mypurecloud.ie",
    "dublin": "mypurecloud.ie",
    "irish (?:org|region|account|tenant|instance)": "mypurecloud.ie",
    "london": "euw2.pure.cloud",
    "zurich": "euc2.pure.cloud",
    "zürich": "euc2.pure.cloud",
    "switzerland": "euc2.pure.cloud",
    "sydney": "mypurecloud.com.au",
    "australia": "mypurecloud.com.au",
    "australian (?:org|region|account|tenant|instance)": "mypurecloud.com.au",
    "tokyo": "mypurecloud.jp",
    "japan": "mypurecloud.jp",
    "japanese (?:org|region|account|tenant|instance)": "mypurecloud.jp",
    "osaka": "apne3.pure.cloud",
    "seoul": "apne2.pure.cloud",
    "korea": "apne2.pure.cloud",
    "mumbai": "aps1.pure.cloud",
    "india": "aps1.pure.cloud",
    "singapore": "apse1.pure.cloud",
    "canada": "cac1.pure.cloud",
    "canadian (?:org|region|account|tenant|instance)": "cac1.pure.cloud",
    "montreal": "cac1.pure.cloud",
    "oregon": "usw2.pure.cloud",
    "virginia": "mypurecloud.com",
    "paulo": "sae1.pure.cloud",
    "brazil": "sae1.pure.cloud",
    "dubai": "mec1.pure.cloud",
    "emirates": "mec1.pure.cloud",
    "uae": "mec1.pure.cloud",
    "mexico": "mxc1.pure.cloud",
    "us west": "usw2.pure.cloud",
    "us east": "mypurecloud.com",
    "fedramp": "use2.us-gov-pure.cloud",
}
"""Place → domain, as Genesys names its regions."""

_HOSTLIKE = re.compile(r"(?:[a-z0-9\-]+\.)+[a-z]{2,}", re.IGNORECASE)
_PATHLIKE = re.compile(
    r"(?:\b(GET|POST|PUT|PATCH|DELETE|HEAD)\s+)?(?:https?://[^\s/\"']+)?(/api/v\d[\w\-./{}]*)", re.IGNORECASE
)
_ALSO = re.compile(
    r"\b(?:also|tried|try|either|both|same (?:error|result|thing|failure|answer)|likewise|neither|whether)\b",
    re.IGNORECASE,
)

_AT_HOME = re.compile(
    r"\b(?:sign|log)(?:s|ged|ned|ging)?[ -]?(?:in|ed)\b|login|\borg|deploy|token|client|creat|account|region"
    r"|belong|\blives?\b|host|tenant|issued|copied|admin",
    re.IGNORECASE,
)
"""What belongs to one region, or how one speaks of it."""
_ORGANISED = re.compile(r"\borg|deploy|account|region|tenant|hosted|data ?cent|instance", re.IGNORECASE)
"""The same, sure enough beside the name of a place, where people may simply live."""


class Note:
    """A person's words about an attempt."""

    def __init__(self, text: str | None) -> None:
        self.text = (text or "")[:4_000].replace("\u2019", "'")

    def __bool__(self) -> bool:
        return bool(self.text.strip())

    def says(self, *subjects: str) -> bool:
        """Tell whether the note speaks of every one of these subjects."""
        return all(subject in self.subjects for subject in subjects)

    def says_any(self, *subjects: str) -> bool:
        """Tell whether the note speaks of one of these subjects."""
        return any(subject in self.subjects for subject in subjects)

    def has(self, pattern: str) -> bool:
        """Tell whether a regular expression occurs."""
        return re.search(pattern, self.text, re.IGNORECASE) is not None

    @cached_property
    def subjects(self) -> frozenset[str]:
        """The subjects it touches."""
        return frozenset(name for name, pattern in _subjects().items() if pattern.search(self.text))

    @property
    def sentences(self) -> list[str]:
        """The note in sentences and half-sentences; a dot inside a host name does not end one."""
        return [part for part in re.split(r"(?<=[.!?;])\s+|\n", self.text) if part.strip()]

    @property
    def complains(self) -> bool:
        """Whether it says that something fails, or asks something."""
        text = _ADDRESS.sub(" ", self.text)  # the "?" of a query asks nothing
        words = _COMPLAINT.search(_CONTENT.sub(" ", text))
        return bool(words) or bool(self.ended_at) or "?" in text or not _SYMPTOMS.isdisjoint(self.subjects)

    @property
    def is_content(self) -> bool:
        """Whether it says that all is well, and nothing else."""
        return bool(_CONTENT.search(self.text)) and not self.complains

    @cached_property
    def ended_at(self) -> str:
        """The step at which, by a program's words, it ended before anything was asked; "" for none."""
        return ended_at_by_words(self.text)

    @cached_property
    def regions(self) -> tuple[Region, ...]:
        """The regions it names, by domain, AWS name or place, where they are not merely tried as well."""
        named = [
            region for sentence in self._settled for region in (*_by_name(sentence), *_by_place(sentence))
        ]
        return tuple(dict.fromkeys(named))

    @cached_property
    def home_regions(self) -> tuple[Region, ...]:
        """The regions in which, by its words, something was made or is at home, not where people are."""
        named = [region for s in self._settled if _AT_HOME.search(s) for region in _by_name(s)]
        named += [region for s in self._settled if _ORGANISED.search(s) for region in _by_place(s)]
        return tuple(dict.fromkeys(named))

    @property
    def _settled(self) -> list[str]:
        """The sentences that do not speak of trying something else as well."""
        return [sentence for sentence in self.sentences if not _ALSO.search(sentence)]

    @property
    def paths(self) -> list[tuple[str, str]]:
        """REST calls it mentions: (method or "", path)."""
        return [(method.upper(), path.rstrip(".,;")) for method, path in _PATHLIKE.findall(self.text)]


_EVERYBODYS = frozenset({"help", "developer", "developers", "docs", "status", "www", "community"})
"""Labels of manuals: they stand under one region's domain and are for all."""


def _by_name(sentence: str) -> list[Region]:
    lowered = sentence.lower()
    hosts = [read_host(name) for name in _HOSTLIKE.findall(sentence)]
    at_home = (host for host in hosts if host.is_genesys and host.label not in _EVERYBODYS)
    found = [host.region for host in at_home if host.region is not None]
    found += [region for region in REGIONS if _names(region, lowered)]
    return found + [
        Region(f"mypurecloud.{suffix}") for suffix in re.findall(r"(?<![\w.])\.(ie|de|jp)\b", lowered)
    ]


def _by_place(sentence: str) -> list[Region]:
    lowered = sentence.lower()
    return [Region(domain) for place, domain in _PLACES.items() if re.search(rf"\b{place}\b", lowered)]


def _names(region: Region, lowered: str) -> bool:
    """Tell whether a sentence names a region by its AWS name or its short one ("usw2")."""
    if re.search(rf"\b{re.escape(region.aws_name)}\b", lowered):
        return True
    short = region.name.split(".")[0]
    return (
        short != "mypurecloud" and re.search(rf"(?<![\w.]){re.escape(short)}\b(?!\.\w)", lowered) is not None
    )
