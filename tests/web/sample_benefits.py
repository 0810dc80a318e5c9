"""Sample values for the pages of benefits, pools and partners, with plainly generic names."""

from collections.abc import Callable
from typing import Any

from timebank.web import benefits, grants, partners, pools, purse, redeeming
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
    mine = benefits.BenefitsPage(
        menus=[[offered, offered]],
        held=[own(), own(voucher_url="")],
        waiting=[waits],
        past=[refused],
        choice_url="#",
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
        ]
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
        "district-pools": ("district/pools.html", many, officer),
        "district-partners": ("district/partners.html", settled, officer),
        "partner-home": ("partner/home.html", counter(good), partner),
        "partner-home-refused": ("partner/home.html", counter(bad), partner),
    }
