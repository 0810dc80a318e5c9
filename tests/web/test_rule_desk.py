"""The office's desk for rules: a what-if that agrees with the rule, a draft that two people enact,
and why somebody is not given something, told to nobody else."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from html import unescape

import asyncpg
import httpx
import pytest
from tests.conftest import copied, dsn
from tests.factories import KEY
from tests.web.site import Clock
from tests.web.test_hostile import HTTPS, NOW, Visitor, opened

from timebank.app import APP_ROLE, Application
from timebank.db import Database
from timebank.domain.volunteer_number import format_number
from timebank.services.demo import ORGANIZER_PHONE, build_demo
from timebank.store import people
from timebank.store.seal import Seal

DRAFTS = "/district/policies/drafts"
WHAT_IF = "/district/policies/what-if"
FILM = "cn.zj.haiyan.courtesies/film_minutes"


@pytest.fixture(scope="module")
def desk_county(server_url: str, template: str) -> Iterator[str]:
    """A database with the demo county; tests add to it and never take away."""

    async def build(url: str) -> None:
        db = Database(url, role=APP_ROLE)
        await build_demo(db, seal=Seal(KEY), scale="small", now=NOW)
        await db.close()

    with copied(server_url, template) as url:
        asyncio.run(build(url))
        yield url


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
async def owner(desk_county: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(dsn(desk_county))
    yield connection
    await connection.close()


@pytest.fixture
async def app(desk_county: str, clock: Clock) -> AsyncIterator[Application]:
    async with opened(desk_county, clock, url=HTTPS, is_demo=False) as found:
        yield found


def text_of(answer: httpx.Response) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", answer.text)))


def fields_of(answer: httpx.Response) -> dict[str, str]:
    """What a browser would post of the draft's form."""
    form = answer.text.partition("data-draft")[2].partition("</form>")[0]
    found = {
        unescape(name): unescape(value)
        for name, value in re.findall(r'<input[^>]* name="([^"]+)"[^>]* value="([^"]*)"', form)
    }
    for name, inner in re.findall(r'<select[^>]* name="([^"]+)"[^>]*>(.*?)</select>', form, re.S):
        chosen = re.search(r'value="([^"]*)" selected', inner)
        if chosen:
            found[unescape(name)] = unescape(chosen[1])
    for name, inner in re.findall(
        r'<textarea[^>]* name="([^"]+)"[^>]*>(.*?)</textarea>', form, re.S
    ):
        found[unescape(name)] = unescape(inner)
    return {name: value for name, value in found.items() if not name.startswith("_")}


async def appoint_second(app: Application, owner: asyncpg.Connection) -> Visitor:
    """Make the organizer an officer of the county too."""
    kit = app.kit
    async with kit.db.read() as conn:
        person = await people.find_person_by_phone(conn, seal=kit.seal, phone=ORGANIZER_PHONE)
    await owner.execute(
        "insert into appointment (person_id, role, region, from_at)"
        " select $1, role, region, from_at from appointment where role = 'role.officer' limit 1",
        person,
    )
    return await Visitor(app).enter("organizer")


async def test_a_dragged_number_shows_who_gains_and_names_nobody(app: Application) -> None:
    officer = await Visitor(app).enter("officer")
    same = await officer.get(WHAT_IF, params={"number": FILM})
    assert same.status_code == 200
    assert "没有人得到的东西有变化" in same.text
    lower = await officer.get(WHAT_IF, params={"number": FILM, "value": "20", "price": "30"})
    assert "新得到" in lower.text
    assert "花费（元）" in lower.text
    assert "现行：" in lower.text
    # Names are masked, and every number that is refused has its code.
    assert "演示志愿者" not in lower.text
    wrong = await officer.get(
        WHAT_IF, params={"number": "cn.stars/star_minutes", "value": "9,8,7,6,5"}
    )
    assert wrong.status_code == 422
    assert "[pack.not_ascending]" in wrong.text
    for hostile in ("-1", "1e9", "99999999999", "1,2", "<b>"):
        answer = await officer.get(WHAT_IF, params={"number": FILM, "value": hostile})
        assert answer.status_code == 200
        assert "<b>" not in answer.text
    ahead = await officer.get(WHAT_IF, params={"number": FILM, "value": "20", "span": "ahead"})
    assert ahead.text.count("去年预测") in (0, 3)


async def test_a_draft_is_written_in_forms_and_enacted_by_two(
    app: Application,
    owner: asyncpg.Connection,
    clock: Clock,
) -> None:
    officer = await Visitor(app).enter("officer")
    made = await officer.post(DRAFTS, {"base": "cn.zj.haiyan.courtesies"})
    assert made.status_code == 303
    page = await officer.get(made.headers["location"])
    first = page.url.path
    assert "没有不同" in page.text

    # A slip is refused at its field, by code; a try keeps nothing.
    before = await owner.fetchval("select count(*) from pack_draft")
    typed = fields_of(page)
    field = "i:param/film_minutes/0/value"
    assert typed[field] == "100 小时"
    tried = await officer.post(first, {**typed, field: "80 小时", "act": "try"})
    assert "个例子不符" in tried.text
    assert await owner.fetchval("select count(*) from pack_draft") == before
    saved = await officer.post(first, {**typed, field: "八十小时", "act": "save"})
    broken = await officer.get(saved.headers["location"])
    slip = field.replace("i:", "s:")
    place = broken.text.index(f'id="{slip}"')
    assert "[pack.wrong_type]" in broken.text[place - 1_500 : place]
    mended = await officer.post(
        broken.url.path, {**fields_of(broken), slip: "100 小时", "act": "try"}
    )
    assert "例子都符合" in mended.text
    refused = await officer.post(broken.url.path, {"act": "submit", "citation": "某文件"})
    assert "draft.not_whole" in refused.text

    # A dated value is added in the form, filled, and said in words.
    added = await officer.post(first, {**typed, "add": "param/film_minutes|param"})
    page = await officer.get(added.headers["location"])
    typed = fields_of(page)
    typed["d:param/film_minutes/1/from"] = "2027-01-01"
    typed["i:param/film_minutes/1/value"] = "80 小时"
    typed["s:param/film_minutes/1/cite"] = "haiyan-courtesies 第七条"
    saved = await officer.post(page.url.path, {**typed, "act": "save"})
    page = await officer.get(saved.headers["location"])
    said = text_of(page).replace("\xa0", " ")
    assert "本年度服务时间 自2027年1月1日起 80 小时（原 100 小时）" in said
    digest = page.url.path.rsplit("/", 1)[-1]
    files = json.loads(
        await owner.fetchval("select files from pack_draft where digest = $1", digest)
    )
    assert "value = 4800" in files["params.toml"]

    # Grounds are asked for; who submitted cannot decide; the second person enacts.
    assert "draft.no_citation" in (await officer.post(page.url.path, {"act": "submit"})).text
    done = await officer.post(
        page.url.path, {"act": "submit", "citation": "海民〔2026〕9 号 第七条"}
    )
    assert done.status_code == 303, text_of(done)
    own = await officer.post(page.url.path, {"act": "enact"})
    assert "draft.own_draft" in own.text
    second = await appoint_second(app, owner)
    agreed = await second.post(page.url.path, {"act": "enact"})
    assert agreed.status_code == 303, text_of(agreed)
    again = await second.post(page.url.path, {"act": "send_back", "citation": "晚了"})
    assert "draft.already_decided" in again.text
    rule = await officer.get("/district/policies/cn.zj.haiyan.courtesies/film")
    assert "80" in rule.text
    assert "2027年1月1日" in rule.text
    clock.pass_by(timedelta(days=365))
    officer = await Visitor(app).enter("officer")
    assert "满 80" in text_of(
        await officer.get("/district/policies/cn.zj.haiyan.courtesies/film")
    ).replace("\xa0", " ")


async def test_a_new_county_begins_with_a_sample_and_writes_text_if_it_likes(
    app: Application,
) -> None:
    officer = await Visitor(app).enter("officer")
    made = await officer.post(DRAFTS, {"base": "sample"})
    page = await officer.get(made.headers["location"])
    assert "清河县志愿者礼遇" in page.text
    # Who submitted can take it back; mended, it is submitted again.
    grounds = {"act": "submit", "citation": "清社〔2025〕1 号"}
    assert (await officer.post(page.url.path, grounds)).status_code == 303
    taken = await officer.post(page.url.path, {"act": "send_back", "citation": "写错了"})
    assert taken.status_code == 303, text_of(taken)
    back = await officer.get(page.url.path)
    assert "退回来了" in back.text
    typed = fields_of(back)
    mended = await officer.post(page.url.path, {**typed, "s:pack/version": "2026.2"})
    page = await officer.get(mended.headers["location"])
    assert (await officer.post(page.url.path, grounds)).status_code == 303

    made = await officer.post(DRAFTS, {"base": "sample"})
    page = await officer.get(made.headers["location"])
    rules = await officer.get(f"{page.url.path}?part=rules/menu.toml")
    grown = await officer.post(
        page.url.path, {**fields_of(rules), "part": "rules/menu.toml", "add": "rule|rule"}
    )
    looked = await officer.get(grown.headers["location"])
    assert "[pack.empty]" in looked.text
    file = await officer.get(f"{page.url.path}/file?part=cases.toml")
    assert "[[case]]" in file.text
    text = file.text.replace(
        'expect = { tiers = "granted: 3" }', 'expect = { tiers = "granted: 1" }'
    )
    tried = await officer.post(page.url.path, {"part": "cases.toml", "text": text, "act": "try"})
    assert "1 个例子不符" in tried.text
    hostile = await officer.post(
        page.url.path, {"part": "cases.toml", "text": "a = " + "[" * 5_000, "act": "try"}
    )
    assert "pack.too_deep" in hostile.text
    for path in (f"{DRAFTS}/nothing", f"{page.url.path}/file?part=../../etc/passwd"):
        assert (await officer.get(path)).status_code == 404


async def test_why_is_told_to_oneself_to_whom_one_helps_and_to_ones_own_office(
    app: Application, owner: asyncpg.Connection
) -> None:
    volunteer = await Visitor(app).enter("volunteer")
    own = await volunteer.get("/me/why")
    assert own.status_code == 200
    assert "完整的规则和依据" in own.text
    assert "依据" in own.text

    officer = await Visitor(app).enter("officer")
    lived = await owner.fetchval("select min(volunteer_id) from residence where book_id = 330424")
    number = format_number(330424, lived)
    found = await officer.get("/district/policies/people", params={"number": number})
    assert found.status_code == 200
    assert number in found.text
    for other in (format_number(330424, 99_999_999), format_number(330481, 1)):
        answer = await officer.get("/district/policies/people", params={"number": other})
        assert answer.status_code == 404
        assert "您的辖区里没有" in answer.text

    organizer = await Visitor(app).enter("organizer")
    members = await organizer.get("/organizer/members")
    links = re.findall(r"/organizer/members\?number=(\d{15})", members.text)
    assert links
    seen = await organizer.get("/organizer/members", params={"number": links[0]})
    assert seen.status_code == 200
    assert "您只看得到和服务有关的条件" in seen.text
    stranger = await owner.fetchval(
        "select max(id) from volunteer v where book_id = 330424 and not exists"
        " (select from signup s where s.volunteer_id = v.id and s.book_id = v.book_id)"
    )
    hidden = await organizer.get(
        "/organizer/members", params={"number": format_number(330424, stranger)}
    )
    assert hidden.status_code == 404


@pytest.mark.parametrize("path", [DRAFTS, f"{DRAFTS}/x"])
async def test_nobody_else_writes_rules(app: Application, path: str) -> None:
    for who in ("volunteer", "organizer"):
        visitor = await Visitor(app).enter(who)
        if who == "organizer" and path == DRAFTS:
            continue
        assert (await visitor.post(path, {"act": "enact"})).status_code in (403, 404)
