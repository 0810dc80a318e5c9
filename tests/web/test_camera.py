"""With cameras at both ends: the volunteer reads the wall, the organizer reads the volunteer.

One browser sees through a file whatever a test holds before it; codes are pictures of real screens.
"""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.web.camera import Camera, browser_with_camera
from tests.web.site import Site
from tests.web.test_journeys import (
    DESK,
    HAND,
    become_volunteer,
    open_as,
    open_fresh,
    open_shift,
    prove_phone,
    publish,
    read_wall,
)

pytestmark = pytest.mark.needs_browser


@pytest.fixture(scope="module")
def seeing() -> Iterator[tuple[Browser, Camera]]:
    with browser_with_camera() as opened:
        yield opened


def hold(camera: Camera, whose: Page, selector: str, before: Page, url: str) -> None:
    """Hold somebody's screen before the camera of another page, which opens it anew."""
    camera.see_page(whose, selector)
    before.goto(url)


def show_own_code(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/me/code")
    expect(page.locator("[data-own-code][data-signed]")).to_be_visible()


def newest_record(page: Page, site: Site, title: str) -> str:
    page.goto(f"{site.url}/me/records")
    record = page.locator(".record", has_text=title).first
    record.locator("summary").click()
    return record.inner_text()


def test_a_day_with_cameras(seeing: tuple[Browser, Camera], site: Site) -> None:
    chromium, camera = seeing
    organizer = open_as(chromium, site, "organizer", viewport=DESK)
    starts_at = site.clock().replace(second=0, microsecond=0)
    title = "社区花园"
    path = publish(organizer, site, title=title, starts_at=starts_at, minutes=120)
    member, guest = (open_fresh(chromium, viewport=HAND) for _ in range(2))
    become_volunteer(member, site, "13912341001")
    become_volunteer(guest, site, "13912341002")
    member.goto(f"{site.url}/activities{path}")
    member.get_by_role("button", name="报名", exact=True).click()
    expect(member.locator(".shift-line")).to_contain_text("已报名")
    open_shift(organizer, site, path)
    shift_url = organizer.url

    # The organizer stands where people meet; phones compare themselves with it, and tell no more.
    park = {"latitude": 30.5236, "longitude": 120.9437, "accuracy": 10}
    near = dict(park, latitude=30.5240)
    for page, place in ((organizer, park), (member, near)):
        page.context.grant_permissions(["geolocation", "camera"])
        page.context.set_geolocation(place)  # type: ignore[arg-type]
    organizer.goto(f"{shift_url}/door")
    organizer.locator("summary", has_text="集合地点").click()
    organizer.get_by_role("button", name="我就在集合地点").click()
    organizer.wait_for_url(re.compile("done=point_set"))

    # The volunteer's camera reads the wall; who it was comes after, and takes a minute.
    member.context.clear_cookies()
    organizer.goto(f"{shift_url}/code")
    expect(organizer.locator(".wall-code svg")).to_be_visible()
    hold(camera, organizer, ".wall-code", member, f"{site.url}/scan/camera")
    member.wait_for_url(re.compile("/scan$"))
    site.clock.pass_by(timedelta(seconds=60))
    prove_phone(member, site, "13912341001")
    member.locator(".confirm-act[data-ready] button").click()
    expect(member.locator("body")).to_have_class(re.compile("result-arrived"))

    # The organizer's camera reads somebody who has no place, and lets them in.
    show_own_code(guest, site)
    hold(camera, guest, ".own-code-sheet", organizer, f"{shift_url}/door")
    read = organizer.locator("#read .read")
    expect(read).to_have_attribute("data-outcome", "walk-up")
    read.get_by_role("button").click()
    expect(read).to_have_attribute("data-outcome", "arrived")
    expect(organizer.locator(".door-counts dd").first).to_have_text("2")
    expect(organizer.locator(".person-here")).to_have_count(2)

    site.clock.pass_by(timedelta(minutes=45))
    organizer.goto(f"{shift_url}/code?purpose=leave")
    expect(organizer.locator(".wall-leave .wall-code svg")).to_be_visible()
    hold(camera, organizer, ".wall-code", member, f"{site.url}/scan/camera")
    member.wait_for_url(re.compile("/scan$"))
    member.locator(".confirm-act[data-ready] button").click()
    expect(member.locator("body")).to_have_class(re.compile("result-left"))
    assert "A2" in newest_record(member, site, title)

    # A departure read by mistake is taken back, and read again later.
    show_own_code(guest, site)
    hold(camera, guest, ".own-code-sheet", organizer, f"{shift_url}/door?purpose=leave")
    expect(read).to_have_attribute("data-outcome", "left")
    expect(organizer.locator(".person-left")).to_have_count(2)
    seen = organizer.locator(".person-left", has_text="当面确认过")
    seen.get_by_role("button", name="撤销").click()
    expect(organizer.locator(".person-here")).to_have_count(1)
    site.clock.pass_by(timedelta(minutes=10))
    show_own_code(guest, site)
    hold(camera, guest, ".own-code-sheet", organizer, f"{shift_url}/door?purpose=leave")
    expect(read).to_have_attribute("data-outcome", "left")
    shown = newest_record(guest, site, title)
    assert "A3" in shown
    guest.goto(f"{site.url}/me/records")
    expect(guest.locator(".record", has_text=title)).to_have_count(3)

    # A tablet that nobody watches can do nothing else.
    organizer.goto(f"{shift_url}/kiosk")
    organizer.get_by_role("button", name="开始自助签到").click()
    organizer.wait_for_url(re.compile("/kiosk$"))
    show_own_code(member, site)
    hold(camera, member, ".own-code-sheet", organizer, f"{site.url}/kiosk")
    expect(read).to_have_attribute("data-outcome", "known")
    refused = organizer.goto(shift_url)
    assert refused is not None
    assert "/sign-in" in organizer.url or refused.status == 401


def test_the_second_person_on_one_phone_counts_as_declared(
    seeing: tuple[Browser, Camera], site: Site
) -> None:
    chromium, _camera = seeing
    organizer = open_as(chromium, site, "organizer", viewport=DESK)
    starts_at = site.clock().replace(second=0, microsecond=0)
    title = "河道清理"
    path = publish(organizer, site, title=title, starts_at=starts_at, minutes=60)
    open_shift(organizer, site, path)
    shift_url = organizer.url
    phone = open_fresh(chromium, viewport=HAND)
    signed_in = []
    for number in ("13912341003", "13912341004"):
        phone.context.clear_cookies()
        become_volunteer(phone, site, number)
        phone.goto(f"{site.url}/activities{path}")
        phone.get_by_role("button", name="报名", exact=True).click()
        expect(phone.locator(".shift-line")).to_contain_text("已报名")
        signed_in.append(phone.context.cookies())
    for purpose, outcome in (("arrive", "arrived"), ("leave", "left")):
        organizer.goto(f"{shift_url}/code?purpose={purpose}")
        link = read_wall(organizer)
        for cookies, grade in zip(signed_in, ("A2", "A0"), strict=True):
            phone.context.clear_cookies()
            phone.context.add_cookies(cookies)
            phone.goto(link)
            phone.locator(".confirm-act[data-ready] button").click()
            expect(phone.locator("body")).to_have_class(re.compile(f"result-{outcome}"))
            if outcome == "left":
                assert grade in newest_record(phone, site, title)
        site.clock.pass_by(timedelta(minutes=30))
