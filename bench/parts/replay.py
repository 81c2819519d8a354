"""A labelled day: what really happened, and all that cameras, sensors, drones, citizens and platforms said of it.

Public, seeded, and used by ``python -m bench events``, by tests and by anybody who wants to measure another
correlation.  :func:`generate` makes a :class:`Day`: incidents (the truth) and signals in order of arrival, each
labelled with its incident.  Positions err as such sources do (citizens 40 m, other platforms 20 m, drones 10 m,
1 σ), reports come late, some sites lie 70 … 150 m from one another, and happenings of different classes meet at one
site.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec

from core.ids import derived_id
from core.records import GeoPoint, Observation, Reading

DAY0 = datetime(2026, 7, 1, 0, 0, tzinfo=UTC)
METRE_LAT = 1 / 111_320.0
METRE_LON = METRE_LAT / math.cos(math.radians(43.9))


@dataclass(frozen=True)
class ReplaySite:
    """A watched place with two cameras and a sensor."""

    site_id: str
    point: GeoPoint

    @property
    def cameras(self) -> tuple[str, str]:
        return f"cam-{self.site_id}-a", f"cam-{self.site_id}-b"

    @property
    def panel(self) -> str:
        return f"panel:{self.site_id}"

    @property
    def gauge(self) -> str:
        return f"gauge:{self.site_id}"


@dataclass(frozen=True)
class Incident:
    """What really happened: one thing, at one place, for a while."""

    incident_id: str
    happening: str
    site: ReplaySite | None  # None: somewhere in the street, only people and drones see it
    point: GeoPoint
    begins: datetime
    ends: datetime


@dataclass(frozen=True)
class Signal:
    """Something said of an incident; ``incident_id`` "" is noise that should open nothing."""

    at: datetime
    incident_id: str
    record: Observation | Reading


@dataclass(frozen=True)
class Hardship:
    """What makes a day harder than an ordinary one; the default is the ordinary one.

    ``neighbour_m``: how far every eighth site lies from another.  ``rain``: how many times as many of the incidents
    are floods.  ``noise``: how many times as much noise.  ``skew_s``: clocks of sources are off by up to this.
    ``late_s``: readings and alarms of devices arrive this much later than they were taken.
    ``again_s``: so soon after one incident the next of its kind may begin at the same site.
    """

    neighbour_m: tuple[float, float] = (70.0, 150.0)
    rain: float = 1.0
    noise: float = 1.0
    skew_s: float = 0.0
    late_s: float = 0.0
    again_s: float = 8 * 3600.0


ORDINARY = Hardship()
HARDSHIPS = {
    "ordinary": ORDINARY,
    "neighbours 30 m": Hardship(neighbour_m=(30.0, 40.0)),
    "rainstorm": Hardship(rain=6.0, noise=4.0),
    "clocks off 2 min": Hardship(skew_s=120.0),
    "sensors 10 min late": Hardship(late_s=600.0),
    "again after 30 min": Hardship(again_s=1800.0),
    "all at once": Hardship(neighbour_m=(30.0, 40.0), rain=3.0, noise=3.0, skew_s=120.0, late_s=600.0),
}


@dataclass
class Day:
    """Sites, truth and signals in order of arrival."""

    sites: list[ReplaySite]
    incidents: list[Incident] = field(default_factory=list)
    signals: list[Signal] = field(default_factory=list)


_KINDS = {  # happening → camera kind, alarm kind of a device ("" none), kind of people's reports
    "fire": ("flame_smoke", "fire_alarm", "flame_smoke"),
    "waterlogging": ("waterlogging", "", "waterlogging"),
    "duty": ("absence", "duty_check_unanswered", ""),
    "obstruction": ("fire_lane", "", "fire_lane"),
    "congestion": ("congestion", "", "congestion"),
    "fuel_rule": ("phone_in_work_area", "", ""),
}
_WEIGHTS = (5, 5, 3, 3, 2, 1)


def make_sites(count: int, chance: random.Random, near_m: tuple[float, float] = (70, 150)) -> list[ReplaySite]:
    """``count`` sites in 12 × 12 km, 250 m apart or more but for every eighth: it has a neighbour ``near_m`` away."""
    sites: list[ReplaySite] = []
    while len(sites) < count:
        if sites and len(sites) % 8 == 7:
            angle, metres = chance.uniform(0, 2 * math.pi), chance.uniform(*near_m)
            point = moved(sites[-1].point, metres * math.cos(angle), metres * math.sin(angle))
        else:
            point = GeoPoint(lon=125.32 + chance.random() * 12_000 * METRE_LON,
                             lat=43.83 + chance.random() * 12_000 * METRE_LAT)  # fmt: skip
            if any(apart_m(point, site.point) < 250 for site in sites):
                continue
        sites.append(ReplaySite(site_id=f"r{len(sites):03d}", point=point))
    return sites


def moved(point: GeoPoint, east_m: float, north_m: float) -> GeoPoint:
    """``point`` moved by metres."""
    return GeoPoint(lon=point.lon + east_m * METRE_LON, lat=point.lat + north_m * METRE_LAT)


def apart_m(a: GeoPoint, b: GeoPoint) -> float:
    """Metres between two points."""
    return math.hypot((a.lon - b.lon) / METRE_LON, (a.lat - b.lat) / METRE_LAT)


def generate(
    *, sites: int = 148, incidents: int = 400, hours: float = 24, seed: int = 1, hardship: Hardship = ORDINARY
) -> Day:
    """A labelled day; the same arguments give the same day."""
    chance = random.Random(seed)
    day = Day(sites=make_sites(sites, chance, hardship.neighbour_m))
    weights = [w * (hardship.rain if name == "waterlogging" else 1) for name, w in zip(_KINDS, _WEIGHTS, strict=True)]
    busy: dict[tuple[str, str], datetime] = {}
    streets: list[Incident] = []
    while len(day.incidents) < incidents:
        happening = chance.choices(tuple(_KINDS), weights)[0]
        begins = DAY0 + timedelta(hours=chance.uniform(0.2, hours - 3))
        lasts = timedelta(minutes=chance.uniform(8, 90))
        in_street = bool(_KINDS[happening][2]) and chance.random() < 0.15
        site = None if in_street else chance.choice(day.sites)
        point = _street_point(day, chance) if site is None else site.point
        new = Incident(
            incident_id=f"i{len(day.incidents):04d}", happening=happening, site=site, point=point,
            begins=begins, ends=begins + lasts,
        )  # fmt: skip
        if site is not None:
            key = (site.site_id, happening)  # one place has one fire at a time; the next comes when the first is closed
            if key in busy and begins < busy[key] + timedelta(seconds=hardship.again_s):
                continue
            busy[key] = max(new.ends, busy.get(key, new.ends))
        elif any(o.happening == happening and apart_m(o.point, point) < 250 for o in streets):
            continue
        else:
            streets.append(new)
        day.incidents.append(new)
    for incident in day.incidents:
        _signals_of(incident, chance, day)
    _noise(day, chance, hours, hardship.noise)
    if hardship.skew_s or hardship.late_s:
        _disturb(day, random.Random(seed + 1), hardship)
    day.signals.sort(key=lambda signal: (signal.at, _id(signal)))
    return day


def _id(signal: Signal) -> str:
    record = signal.record
    return record.reading_id if isinstance(record, Reading) else record.observation_id


def _street_point(day: Day, chance: random.Random) -> GeoPoint:
    """A place at least 250 m from every site."""
    while True:
        point = GeoPoint(lon=125.32 + chance.random() * 12_000 * METRE_LON,
                         lat=43.83 + chance.random() * 12_000 * METRE_LAT)  # fmt: skip
        if all(apart_m(point, site.point) > 250 for site in day.sites):
            return point


def _signals_of(incident: Incident, chance: random.Random, day: Day) -> None:
    camera_kind, alarm_kind, people_kind = _KINDS[incident.happening]
    site = incident.site
    span = (incident.ends - incident.begins).total_seconds()
    if site is not None:
        for camera in site.cameras[: chance.choice((1, 1, 2)) if incident.happening == "fire" else 1]:
            _standing(incident, day, chance, camera_kind, "camera", camera, site.site_id, chance.uniform(5, 90))
        if alarm_kind:
            for channel in range(chance.choice((0, 1, 1, 2, 4))):
                late = chance.uniform(10, 240)
                _standing(incident, day, chance, alarm_kind, "device", site.panel, site.site_id, late, f"1/{channel}")
        if incident.happening == "waterlogging":
            _water(incident, day, chance, site)
    if people_kind:
        least = 2 if site is None else 0
        for n in range(chance.choice((least, least + 1, 2, 4))):
            at = incident.begins + timedelta(seconds=chance.uniform(60, span))
            name = f"citizen:{incident.incident_id}:{n}"
            _person(incident, day, chance, people_kind, "citizen", name, at, 40.0, 50.0)
        if chance.random() < 0.3:
            at = incident.begins + timedelta(seconds=chance.uniform(300, span))
            _person(incident, day, chance, people_kind, "drone", f"drone:{incident.incident_id}", at, 10.0, 15.0)
        if chance.random() < 0.4:
            at = incident.begins + timedelta(seconds=chance.uniform(60, span))
            _person(incident, day, chance, people_kind, "platform", f"city-ai:{incident.incident_id}", at, 20.0, 30.0)


def _standing(
    incident: Incident, day: Day, chance: random.Random, kind: str, source_type: str, source_id: str,
    site_id: str, late_s: float, channel: str = "",
) -> None:  # fmt: skip
    """Open, now and then open again, clear: what a camera or an alarm contact says."""
    moments = [("open", incident.begins + timedelta(seconds=late_s))]
    while chance.random() < 0.5:
        moments.append(("open", moments[-1][1] + timedelta(seconds=chance.uniform(61, 300))))
    moments = [m for m in moments if m[1] < incident.ends]
    if not moments:
        moments = [("open", incident.begins + timedelta(seconds=5))]
    moments.append(("clear", incident.ends + timedelta(seconds=chance.uniform(1, 60))))
    for n, (state, at) in enumerate(moments):
        observation = Observation(
            observation_id=derived_id("replay", incident.incident_id, source_id, kind, channel, n),
            kind=kind,
            state="open" if state == "open" else "clear",
            source_type="camera" if source_type == "camera" else "device",
            source_id=source_id,
            observed_at=at,
            received_at=at,
            site_id=site_id,
            confidence=round(chance.uniform(0.5, 0.99), 3),
            zone="duty" if kind == "absence" else None,
            attributes={"channel": channel} if channel else {},
        )
        day.signals.append(Signal(at=at, incident_id=incident.incident_id, record=observation))


def _water(incident: Incident, day: Day, chance: random.Random, site: ReplaySite) -> None:
    """A gauge once a minute: it rises to a top and falls back until the end."""
    minutes = int((incident.ends - incident.begins).total_seconds() // 60)
    top = chance.uniform(0.08, 0.45)
    for minute in range(minutes + 8):
        at = incident.begins + timedelta(minutes=minute)
        share = min(1.0, minute / max(1.0, minutes * 0.3)) if minute < minutes * 0.6 else 0.0
        if minutes * 0.6 <= minute < minutes:
            share = max(0.0, 1 - (minute - minutes * 0.6) / (minutes * 0.4))
        reading = Reading(
            reading_id=derived_id("replay", incident.incident_id, site.gauge, minute),
            source="mqtt",
            device_id=site.gauge,
            quantity="water_level_m",
            value=round(top * share + chance.gauss(0, 0.003), 4),
            unit="m",
            observed_at=at,
            received_at=at,
            site_id=site.site_id,
        )
        day.signals.append(Signal(at=at, incident_id=incident.incident_id, record=reading))


def _person(
    incident: Incident, day: Day, chance: random.Random, kind: str, source_type: str, source_id: str,
    at: datetime, sigma_m: float, accuracy_m: float,
) -> None:  # fmt: skip
    observation = Observation(
        observation_id=derived_id("replay", incident.incident_id, source_id),
        kind=kind,
        state="open",
        source_type=source_type,  # type: ignore[arg-type]
        source_id=source_id,
        observed_at=at,
        received_at=at,
        location=moved(incident.point, chance.gauss(0, sigma_m), chance.gauss(0, sigma_m)),
        attributes={"accuracy_m": accuracy_m},
    )
    day.signals.append(Signal(at=at, incident_id=incident.incident_id, record=observation))


def _disturb(day: Day, chance: random.Random, hardship: Hardship) -> None:
    """Let clocks go wrong and the data of devices come late (arrival is later, the stated time is not)."""
    skews: dict[str, float] = {}
    for n, signal in enumerate(day.signals):
        record = signal.record
        device = isinstance(record, Reading) or record.source_type == "device"
        source = record.device_id if isinstance(record, Reading) else record.source_id
        skew = skews.setdefault(source, chance.uniform(-hardship.skew_s, hardship.skew_s))
        arrives = signal.at + timedelta(seconds=hardship.late_s * chance.uniform(0.9, 1.0) if device else 0.0)
        stated = min(signal.at + timedelta(seconds=skew), arrives)
        changed = msgspec.structs.replace(record, observed_at=stated, received_at=arrives)
        day.signals[n] = Signal(at=arrives, incident_id=signal.incident_id, record=changed)


def _noise(day: Day, chance: random.Random, hours: float, times: float = 1.0) -> None:
    """Single spikes of gauges and detections of little confidence: they should open nothing."""
    for n in range(int(len(day.sites) * 4 * times)):
        site = chance.choice(day.sites)
        at = DAY0 + timedelta(hours=chance.uniform(0, hours))
        reading = Reading(
            reading_id=derived_id("noise", n), source="mqtt", device_id=site.gauge, quantity="rain_mm",
            value=0.1, unit="mm", observed_at=at, received_at=at, site_id=site.site_id,
        )  # fmt: skip
        weak = Observation(
            observation_id=derived_id("weak", n), kind="flame_smoke", state="open", source_type="camera",
            source_id=site.cameras[0], observed_at=at, received_at=at, site_id=site.site_id, confidence=0.12,
        )  # fmt: skip
        day.signals.append(Signal(at=at, incident_id="", record=reading))
        day.signals.append(Signal(at=at, incident_id="", record=weak))
