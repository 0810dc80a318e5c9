"""Sample values for the pages with cameras, with plainly generic names."""

from collections.abc import Callable
from typing import Any

from timebank.web import door, door_people, find_code, kiosk, own_code, read_person
from timebank.web.catalog import Language, translator
from timebank.web.code_picture import code_picture
from timebank.web.parts import Choice, Field, Frame, Link

Made = tuple[str, Any, Frame]


def door_samples(language: Language, framed: Callable[..., Frame]) -> dict[str, Made]:
    """Return template, page and frame of each page, by name."""
    _ = translator(language)
    zh = language == "zh"

    def words(chinese: str, english: str) -> str:
        return chinese if zh else english

    park = words("海滨公园净滩", "Shore clean-up")
    time = words("今天 14:00–17:00", "today 14:00–17:00")

    def person(
        name: str, number: int, state: str, *, arrived: str = "", left: str = "", seen: bool = False
    ) -> door_people.DoorPerson:
        return door_people.DoorPerson(
            key=f"330424-{number}",
            name=name,
            number=f"33042400000{number:04}",
            state=state,  # type: ignore[arg-type]
            arrived_at=arrived,
            left_at=left,
            is_seen=seen,
        )

    people = door_people.PeopleFragment(
        version="sample",
        refresh_ms=600_000,
        here=3,
        arrived=4,
        signed_up=14,
        people=[
            person("王*芳", 1234, "here", arrived="13:58"),
            person("欧阳*", 1241, "here", arrived="13:57", seen=True),
            person("陈*国", 1259, "here", arrived="13:55"),
            person("沈*", 1266, "expected"),
            person("张*英", 1273, "left", arrived="13:52", left="14:40"),
        ],
        to_check=["王*芳", "陈*国"],
        base_url="#",
        can_undo=True,
    )

    def read(outcome: str) -> read_person.ReadPerson:
        sentences = {
            "arrived": _("{time} 签到", time="13:58"),
            "left": _("{time} 签退，记 {served}", time="17:02", served="3:00"),
            "known": _("door.scan.already_arrived"),
            "walk-up": _("door.scan.not_signed_up"),
            "refused": _("personal_code.expired"),
        }
        return read_person.ReadPerson(
            outcome=outcome,  # type: ignore[arg-type]
            name="" if outcome == "refused" else "王*芳",
            number="" if outcome == "refused" else "330424000001234",
            time="13:58",
            sentence=sentences[outcome],
            code="personal_code.expired" if outcome == "refused" else "",
            slip="slip" if outcome == "walk-up" else "",
        )

    def at_door(outcome: str, *, counted: str = "", error: str = "") -> door.DoorPage:
        return door.DoorPage(
            activity=park,
            time=time,
            place=words("海滨公园东门", "East gate of the shore park"),
            purpose="leave" if outcome == "left" else "arrive",
            base_url="#",
            arrive_url="#",
            leave_url="#",
            shift_url="#",
            code_url="#",
            kiosk_url="#",
            takes_scans=True,
            closed="",
            people=people,
            read=read(outcome),
            error=error,
            counted=counted,
        )

    counted = _(
        "签到在场 {present} 人，现场数到 {counted} 人。请看看名单里谁不在。", present=34, counted=31
    )
    code = code_picture("https://time.example.org/p/" + "A" * 103)
    found: dict[str, Made] = {
        f"door-{outcome}": ("organizer/door.html", at_door(outcome), framed("organizer"))
        for outcome in ("arrived", "left", "known", "walk-up", "refused")
    }
    found["door-counted"] = (
        "organizer/door.html",
        at_door("known", counted=counted, error=_("retraction.not_there")),
        framed("organizer"),
    )
    found["door-own-code"] = (
        "volunteer/own_code.html",
        own_code.OwnCodePage(
            name=words("志愿者 A", "Volunteer A"),
            number="330424000001234",
            book=330424,
            volunteer=123,
            code=code,
            seconds_left=21,
            window_seconds=30,
            server_ms=0,
            url="https://time.example.org",
            bind_url="/me/device",
            challenge="c0ffee",
        ),
        framed("volunteer"),
    )
    found["door-find-code"] = (
        "scan/find_code.html",
        find_code.FindCodePage(
            shifts=[Choice(value="330424-7", label=f"{park} · {time}")],
            digits=Field(error=_("short_code.wrong")),
            digits_url="#",
            is_signed_in=True,
        ),
        framed("volunteer"),
    )
    found["door-kiosk-set-up"] = (
        "organizer/kiosk.html",
        kiosk.KioskSetUpPage(activity=park, door_url="#", begin_url="#", until="18:00"),
        framed("organizer"),
    )
    found["door-kiosk"] = (
        "public/kiosk.html",
        kiosk.KioskPage(activity=park, time=time, purpose="arrive", base_url="#", end_url="#"),
        framed(""),
    )
    found["door-person-link"] = (
        "public/person_link.html",
        own_code.PersonLinkPage(
            is_organizer=True,
            shifts=[Link(label=f"{park} · {time}", url="#")],
            code="A",
            home_url="#",
        ),
        framed("organizer"),
    )
    found["door-person-link-public"] = (
        "public/person_link.html",
        own_code.PersonLinkPage(is_organizer=False, shifts=[], code="A", home_url="#"),
        framed(""),
    )
    return found
