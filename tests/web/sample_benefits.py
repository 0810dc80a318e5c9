"""Sample values for the pages of benefits, pools and partners, with plainly generic names."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from timebank.web import benefits, debts, grants, partners, pools, purse, redeeming, selections
from timebank.web.catalog import Language, translator
from timebank.web.code_picture import code_picture
from timebank.web.parts import Choice, Field, Frame

Made = tuple[str, Any, Frame]


def benefit_samples(language: Language, framed: Callable[..., Frame]) -> dict[str, Made]:
    """Return template, page and frame of each page, by name."""
    _ = translator(language)
    zh = language == "zh"
    film = "观影优待" if zh else "Film-viewing privilege"

    def own(**values: Any) -> benefits.Benefit:
        made: dict[str, Any] = {
            "title": film,
            "detail": _("还有 {left}，共 {whole}", left="9", whole="12"),
            "state": _("grant_state.issued"),
            "tone": "proven",
            "valid": _("{day}前有效", day="2027-02-28"),
            "why": "",
            "voucher_url": "#",
            "choice": "",
        }
        return benefits.Benefit(**(made | values))

    waits = own(state=_("grant_state.waiting"), tone="waiting", valid="", voucher_url="")
    offered = own(
        detail="12", state=_("grant_state.choosing"), valid="", voucher_url="", choice="1"
    )
    refused = own(state=_("grant_state.refused"), tone="past", why=film, valid="", voucher_url="")
    owed = debts.OwedLine(
        title=_("奖励金"),
        amount=_("{yuan} 元", yuan="400.00"),
        history=[
            ("2026-06-10", _("已退还"), _("{yuan} 元", yuan="200.00")),
            ("2026-06-01", _("收回"), _("{yuan} 元", yuan="600.00")),
        ],
    )
    mine = benefits.BenefitsPage(
        debts=[owed],
        menus=[[offered, offered]],
        held=[
            own(),
            own(voucher_url=""),
            own(county=_("{county}发的，在那里用", county="桐乡市" if zh else "Tongxiang")),
        ],
        waiting=[waits],
        past=[refused],
        choice_url="#",
        lots=[
            benefits.OwnLot(
                title=film,
                lot=_("签号 {lot}", lot=17),
                state=_("名单公开中，{day}起抽签", day="2026-06-14"),
                secret="5f" * 16,
                url="#",
            )
        ],
        error=_("grant.not_open"),
    )
    voucher: dict[str, Any] = {
        "title": film,
        "name": "张*" if zh else "Z*",
        "left": _("还有 {amount}", amount="9"),
        "valid": _("{day}前有效", day="2027-02-28"),
        "state": _("grant_state.issued"),
        "code": code_picture("https://example.org/v/" + "A" * 42),
        "digits": "70412-4-482913",
        "seconds_left": 42,
        "window_seconds": 60,
        "partners": [
            ("示例影城" if zh else "Example cinema", "示例路 1 号" if zh else "1 Example Rd")
        ],
        "back_url": "#",
    }
    row = grants.GrantRow(
        field="grant.330424.1",
        name="张*" if zh else "Z*",
        title=film,
        amount=_("{yuan} 元", yuan="600.00"),
        why="服务时长 120 小时，要求 100 小时" if zh else "Hours 120, needed 100",
        needs=_("office.county") + " · " + _("要两个人"),
    )
    section = grants.GrantSection(
        title=_("等审批"),
        hint=_("逐条看一眼依据，去掉不同意的勾，一次办完。发钱的要两个人。"),
        action="agree",
        label=_("同意并发放"),
        can_refuse=True,
        rows=[row, row],
        more=_("还有 {count} 条，处理完这些再显示", count="12"),
    )
    pool = pools.PoolCard(
        title="社区慈善基金" if zh else "Community charity fund",
        owner="示例社区" if zh else "Example community",
        days=_("{day}起", day="2026-01-01"),
        budget=_("{yuan} 元", yuan="50,000.00"),
        paid=_("{yuan} 元", yuan="20,000.00"),
        committed=_("{yuan} 元", yuan="6,000.00"),
        proposed=_("{yuan} 元", yuan="600.00"),
        left=_("{yuan} 元", yuan="23,400.00"),
        used_percent=40,
        committed_percent=12,
        when_out=_("when_out.queue"),
        waiting=_("{count} 份在等", count="3"),
        owed=_("{yuan} 元", yuan="600.00"),
        fund_url="#",
        is_money=True,
    )
    many = pools.PoolsPage(
        pools=[pool, pool],
        new_url="#",
        title=Field(),
        owner=Field(),
        item=Field(),
        amount=Field(),
        from_on=Field(value="2026-01-01"),
        until_on=Field(),
        when_out=[Choice(value="queue", label=_("when_out.queue"))],
        error=_("pool.title_length"),
    )
    shop = partners.PartnerCard(
        name="示例影城" if zh else "Example cinema",
        address="示例路 1 号" if zh else "1 Example Rd",
        takes=[_("{item}，每次 {yuan} 元", item=film, yuan="25.00")],
        price_url="#",
    )
    settled = partners.PartnersPage(
        partners=[shop, shop],
        months=[Choice(value="2026-06", label="2026-06", is_selected=True)],
        settlement=[
            partners.SettlementLine(
                partner=shop.name, item=film, count="12", each="25.00", whole="300.00"
            )
        ],
        total="300.00",
        csv_url="#",
        items=[Choice(value="pass:film", label=film)],
        new_url="#",
        name=Field(),
        address=Field(),
        phone=Field(),
    )

    def counter(read: redeeming.Redeeming | None) -> redeeming.PartnerPage:
        return redeeming.PartnerPage(
            name=shop.name,
            takes=[film],
            today=[
                redeeming.RedeemedLine(
                    title=film,
                    time="09:02",
                    entitlement=70412,
                    use=3 - back,
                    is_returned=bool(back),
                    can_return=not back,
                )
                for back in range(2)
            ],
            count="1",
            read=read,
            digits=Field(),
            redeem_url="#",
            return_url="#",
        )

    good = redeeming.Redeeming(
        outcome="left",
        title=film,
        sentence=_("核销成功，{time}，还剩 {left}", time="09:02", left="9"),
        code="",
    )
    bad = redeeming.Redeeming(
        outcome="refused",
        title=_("没有核销"),
        sentence=_("voucher.already_redeemed"),
        code="voucher.already_redeemed",
    )
    public = grants.PublicityPage(
        lines=[
            grants.PublicityLine(
                name="张*" if zh else "Z*",
                title=film,
                amount=_("{yuan} 元", yuan="600.00"),
                until="2026-06-17",
            )
        ],
        lists=[
            selections.SelectionLine(
                title=film, detail=_("抽签"), state=_("可以抽签了"), is_decided=False, url="#"
            )
        ],
    )
    volunteer, officer, partner = framed("volunteer"), framed("officer"), framed("partner")
    link = benefits.VoucherLinkPage(is_partner=True, code="A" * 42, action_url="#", home_url="#")
    nobody = benefits.VoucherLinkPage(is_partner=False, code="", action_url="#", home_url="#")
    coins = purse.PursePage(
        purses=[
            purse.PurseCard(
                unit="credits",
                title=_("purse.credits"),
                held=_("{count} 时间币", count="12"),
                lots=[_("{count} 时间币", count="12")],
                receivers=[Choice(value="pool", label=_("receiver.pool"))],
            )
        ],
        offers=[
            purse.OfferCard(number=1, title=film, detail=film, price=_("{count} 时间币", count="3"))
        ],
        gift_url="#",
        spending_url="#",
        item_url="#",
        today="2026-06-10",
        error=_("purse.too_little"),
    )
    return {
        "volunteer-purse": ("volunteer/purse.html", coins, volunteer),
        "volunteer-benefits": ("volunteer/benefits.html", mine, volunteer),
        "volunteer-benefits-empty": (
            "volunteer/benefits.html",
            benefits.BenefitsPage(menus=[], held=[], waiting=[], past=[], choice_url="#"),
            volunteer,
        ),
        "volunteer-voucher": (
            "volunteer/voucher.html",
            benefits.VoucherPage(**voucher),
            volunteer,
        ),
        "volunteer-voucher-over": (
            "volunteer/voucher.html",
            benefits.VoucherPage(**(voucher | {"code": None, "partners": [], "digits": ""})),
            volunteer,
        ),
        "voucher-link": ("public/voucher_link.html", link, partner),
        "voucher-link-nobody": ("public/voucher_link.html", nobody, framed("")),
        "publicity": ("public/publicity.html", public, framed("")),
        "publicity-empty": ("public/publicity.html", grants.PublicityPage(lines=[]), framed("")),
        "district-grants": (
            "district/grants.html",
            grants.GrantsPage(
                sections=[section],
                action_url="#",
                outcome=[_("同意并发放 {count} 份", count="12")],
                error=_("请先勾选"),
            ),
            officer,
        ),
        "district-grants-empty": (
            "district/grants.html",
            grants.GrantsPage(sections=[], action_url="#", outcome=[]),
            officer,
        ),
        "district-debts": (
            "district/debts.html",
            debts.DebtsPage(
                debts=[
                    debts.DebtCard(
                        name="张*" if zh else "Z*",
                        owed=owed,
                        field="330424.1.4",
                        is_money=True,
                        waiting=[
                            debts.NotedLine(
                                what=_("已退还 {amount}", amount=_("{yuan} 元", yuan="100.00")),
                                note="收据 17 号" if zh else "Receipt 17",
                                field=field,
                            )
                            for field in ("330424.2", "")
                        ],
                    )
                ],
                action_url="#",
                error=_("repayment.amount"),
            ),
            officer,
        ),
        "district-debts-empty": (
            "district/debts.html",
            debts.DebtsPage(debts=[], action_url="#"),
            officer,
        ),
        "district-pools": ("district/pools.html", many, officer),
        "district-partners": ("district/partners.html", settled, officer),
        "partner-home": ("partner/home.html", counter(good), partner),
        "partner-home-refused": ("partner/home.html", counter(bad), partner),
    }


def selection_samples(language: Language, framed: Callable[..., Frame]) -> dict[str, Made]:
    """Return the pages of draws and panels, by name."""
    _ = translator(language)
    zh = language == "zh"
    name = "张三丰" if zh else "Zhang Sanfeng"
    flat = "人才公寓" if zh else "A flat for talents"
    hours = "服务时长 120 小时，要求 100 小时" if zh else "Hours 120, needed 100"
    drawn = _("抽签") + " · " + _("{count} 人在名单上", count="1,342")
    proof = selections.Proof(
        digest="5f" * 32,
        as_of="22,384,106",
        ready="2026-06-14 00:00",
        seed="a3" * 32,
        seed_size="22,391,002",
        sample="a3" * 32 + "/" + "5f" * 32 + "/17",
    )

    def lot(number: int, **values: Any) -> selections.LotLine:
        made: dict[str, Any] = {
            "lot": number,
            "name": "张*" if zh else "Z*",
            "division": "武原街道" if zh else "Wuyuan",
            "why": "",
            "place": str(number),
            "votes": "",
            "outcome": _("lot.chosen") if number < 2 else _("lot.passed_over"),
            "tone": "proven" if number < 2 else "past",
        }
        return selections.LotLine(**(made | values))

    def made(**values: Any) -> selections.SelectionPage:
        whole: dict[str, Any] = {
            "title": flat,
            "is_lottery": True,
            "detail": drawn,
            "state": _("{day}抽出", day="2026-06-14"),
            "is_decided": True,
            "lots": [lot(1), lot(1342)],
            "proof": proof,
            "file_url": "#",
            "public_url": "#",
            "back_url": "#",
        }
        return selections.SelectionPage(**(whole | values))

    votes = _("{yes} 票同意，{no} 票不同意，{entitled} 人能投", yes=2, no=1, entitled=3)
    waits = {"outcome": "", "place": "", "tone": "waiting", "name": name, "why": hours}
    panel = made(
        is_lottery=False,
        is_decided=False,
        state=_("正在投票，{time}截止", time="2026-06-17 24:00"),
        lots=[lot(1, mine="for", note=flat, **waits), lot(2, tie=_("tie.organization"), **waits)],
        decide_label=_("计票"),
        members=[
            selections.MemberLine(
                name=f"{name} · {_('office.county')}",
                state=_("投了 {count}，共 {whole}", count=1, whole=17)
                + _("，回避 {count}", count=1),
            )
        ],
        can_vote=True,
        error=_("selection.tied"),
    )
    convening = made(
        is_lottery=False,
        is_decided=False,
        state=_("等办公室指定评审小组"),
        lots=[lot(1, **waits)],
        officials=[
            Choice(value=str(each), label=f"{name} · {_('office.town')}") for each in (1, 2)
        ],
        first_day="2026-06-11",
        closes_on="2026-06-17",
        public_url="",
    )
    voted = made(
        is_lottery=False,
        lots=[lot(1, votes=votes), lot(2, votes=votes)],
        proof=replace(proof, seed="", seed_size="", ready="", sample=""),
    )
    line = selections.SelectionLine(
        title=flat, detail=drawn, state=_("可以抽签了"), is_decided=False, url="#"
    )
    officer, public = framed("officer"), framed("")
    return {
        "district-selections": (
            "district/selections.html",
            selections.SelectionsPage(waiting=[line], decided=[line]),
            officer,
        ),
        "district-selections-empty": (
            "district/selections.html",
            selections.SelectionsPage(waiting=[], decided=[]),
            officer,
        ),
        "district-selection-voting": ("district/selection.html", panel, officer),
        "district-selection-convening": ("district/selection.html", convening, officer),
        "public-draw": ("public/selection.html", made(), public),
        "public-panel": ("public/selection.html", voted, public),
    }
