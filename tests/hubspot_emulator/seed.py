"""The portal to try things out on: invented people, two lists, and two weeks of mailings that end now."""

from __future__ import annotations

import time
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from tests.hubspot_emulator.event_sources import Single
from tests.hubspot_emulator.portal import Portal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PEOPLE = 500
CAMPAIGNS = (
    # campaign id, name, days before now, share of the people it goes to
    (310_000_001, "October in review", 13.5, 0.9),
    (310_000_002, "Three things we learnt from support", 10.2, 0.5),
    (310_000_003, "You are invited: open house", 6.1, 0.7),
    (310_000_004, "November notes", 2.3, 0.9),
)
_RECENT_DAYS = 7
_MINUTE = 60_000  # milliseconds
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR
_FIRST_NAMES = """
Ada Alan Amara Anders Aroha Beatriz Bruno Chidi Clara Dana Daria Elias Emeka Esra Farid Freya Gaurav
Greta Hana Hugo Ines Ivo Jamal Jun Kaia Kofi Lena Liang Mara Mateo Mina Nadia Noor Olek Oona Pablo
Priya Quinn Rafael Rosa Sami Sofia Tariq Tilda Uma Viktor Wanda Xenia Yusuf Zofia
"""
_LAST_NAMES = """
Abara Almeida Bauer Bergström Castellano Chen Dvorak Eriksen Fontaine García Haddad Ito Jansen
Kowalska Lindqvist Marchetti Nakamura Novak Okafor Petrov Quiroga Rossi Sato Tanaka Ueda Virtanen
Weber Yildiz Zhao Öztürk
"""
_PLACES = (
    ("Lyon", "auvergne-rhone-alpes", "FRANCE", 45.76, 4.83, "69001"),
    ("Porto", "porto", "PORTUGAL", 41.15, -8.61, "4000-001"),
    ("Austin", "texas", "UNITED STATES", 30.27, -97.74, "73301"),
    ("Leeds", "england", "UNITED KINGDOM", 53.8, -1.55, "LS1"),
    ("Osaka", "osaka", "JAPAN", 34.69, 135.5, "530-0001"),
)
_AGENTS = (
    (
        "Safari",
        "MOBILE",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_6 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148",
    ),
    (
        "Chrome",
        "COMPUTER",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/130.0.0.0 Safari/537.36",
    ),
    ("Apple Mail", "COMPUTER", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15"),
    (
        "Chrome Mobile",
        "MOBILE",
        "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/130.0 Mobile",
    ),
)
_TEXT_FOLDING = str.maketrans("öÖí", "oOi")


def seeded_portal(clock: Callable[[], float] = time.time) -> Portal:
    """Make the same portal each time, but for when the events happened."""
    portal, random = Portal(clock=clock), Random(20)
    people = [_person(portal, random, number) for number in range(PEOPLE)]
    customers = people[::4]
    portal.add_list("Beta testers", members=people[10:130])
    portal.add_list("Customers", processing_type="DYNAMIC", members=customers)
    addresses = [email for person in people if (email := portal.contact(person).email) is not None]
    for campaign in CAMPAIGNS:
        _send(portal, random, Campaign(*campaign), addresses)
    return portal


@dataclass(frozen=True, slots=True)
class Campaign:
    """One mailing."""

    campaign_id: int
    name: str
    days_ago: float
    share: float

    @property
    def subject(self) -> str:
        """What its recipients read."""
        return f"{self.name} | Example News"


def _person(portal: Portal, random: Random, number: int) -> str:
    first, last = random.choice(_FIRST_NAMES.split()), random.choice(_LAST_NAMES.split())
    name = f"{first}.{last}{number}".translate(_TEXT_FOLDING).lower()
    domain = random.choice(("example.com", "example.org", "example.net"))
    place = random.choice(_PLACES)
    stage = "customer" if number % 4 == 0 else random.choice(("subscriber", "lead", "opportunity"))
    other = [f"{name}@home.example.net"] if number % 50 == 7 else []
    return portal.add_contact(
        f"{name}@{domain}" if number % 100 != 99 else None,
        additional_emails=other,
        firstname=first,
        lastname=last,
        city=place[0],
        lifecyclestage=stage,
    )


def _send(portal: Portal, random: Random, campaign: Campaign, addresses: Sequence[str]) -> None:
    """Send a mailing: each recipient's events follow from one another."""
    now = portal.now_ms()
    start = now - int(campaign.days_ago * _DAY)
    recipients = random.sample(addresses, int(len(addresses) * campaign.share))
    for recipient in recipients:
        mail = Mail(portal, campaign, recipient, now)
        mail.live(random, start + random.randrange(20 * _MINUTE))
    # HubSpot tells a time for the recent ones alone.
    is_recent = campaign.days_ago < _RECENT_DAYS
    portal.add_campaign(
        campaign.campaign_id,
        updated_ms=start + 20 * _MINUTE if is_recent else None,
        name=campaign.name,
        subject=campaign.subject,
        numIncluded=len(recipients),
        numQueued=len(recipients),
        counters={"sent": len(recipients)},
    )


@dataclass(frozen=True, slots=True)
class Mail:
    """One message to one person, and what becomes of it until now."""

    portal: Portal
    campaign: Campaign
    recipient: str
    now_ms: int

    def live(self, random: Random, at: int) -> None:
        fate = random.random()
        if fate < 0.02:
            self._event("DROPPED", at, subject=self.campaign.subject)
            return
        sent = self._event("SENT", at, subject=self.campaign.subject)
        self._event("PROCESSED", at + 400, sentBy=sent)
        if fate < 0.05:
            self._event("BOUNCE", at + 3_000, sentBy=sent)
            return
        if fate < 0.09:
            self._event("DEFERRED", at + 2_000, sentBy=sent)
            at += 20 * _MINUTE
        self._event("DELIVERED", at + 2_500, sentBy=sent)
        self._read(random, at + 2_500, sent)

    def _read(self, random: Random, delivered: int, sent: dict[str, object]) -> None:
        if random.random() > 0.45:
            return
        reader = _reader(random)
        at = delivered
        for _ in range(random.choice((1, 1, 1, 2, 3))):
            at += int(random.expovariate(1 / (9 * _HOUR))) + 5_000
            self._event("OPEN", at, sentBy=sent, filteredEvent=random.random() < 0.06, **reader)
        if random.random() < 0.3:
            url = f"https://www.example.org/{self.campaign.campaign_id}"
            self._event("CLICK", at + random.randrange(2_000, 90_000), sentBy=sent, url=url, **reader)
        if random.random() < 0.02:
            leaving = self.recipient
            self._event("STATUSCHANGE", at + 2 * _MINUTE, causedBy=sent, requestedBy=leaving)
        if random.random() < 0.01:
            self._event("SPAMREPORT", at + 3 * _MINUTE, sentBy=sent)

    def _event(self, event_type: str, at: int, **fields: object) -> dict[str, object]:
        """Add an event, unless it is yet to happen."""
        if at > self.now_ms:
            return {}
        about = {"recipient": self.recipient, "emailCampaignId": self.campaign.campaign_id, **fields}
        return self.portal.events.add(event_type, at, Single(about), typical=True)


def _reader(random: Random) -> dict[str, object]:
    city, state, country, latitude, longitude, zipcode = random.choice(_PLACES)
    family, device, agent = random.choice(_AGENTS)
    place = {"city": city, "state": state, "country": country, "zipcode": zipcode}
    return {
        "userAgent": agent,
        "deviceType": device,
        "browser": {"name": family, "family": family, "type": "Browser", "version": ["1.0"]},
        "location": {**place, "latitude": latitude, "longitude": longitude},
    }
