"""The words in which rules are said: attributes, comparisons, filters and units, in Chinese and English."""

from __future__ import annotations

from collections.abc import Mapping

from aimwell.core.text import Text

ATTRIBUTES: Mapping[str, Text] = {
    "customer_id": Text("客户编号", "customer id"),
    "created_at": Text("建档时间", "date of first record"),
    "birth_date": Text("出生日期", "date of birth"),
    "gender": Text("性别", "gender"),
    "city": Text("城市", "city"),
    "region": Text("地区", "region"),
    "language": Text("语言", "language"),
    "timezone": Text("时区", "timezone"),
    "income_band": Text("收入档", "income band"),
    "age_band": Text("年龄段", "age band"),
    "occupation": Text("职业", "occupation"),
    "education": Text("学历", "education"),
    "household_size": Text("家庭人数", "household size"),
    "household_kind": Text("家庭类型", "kind of household"),
    "children": Text("子女数", "number of children"),
    "home_ownership": Text("住房状况", "home ownership"),
    "marital_status": Text("婚姻状况", "marital status"),
    "tier": Text("会员等级", "tier"),
    "risk_level": Text("风险承受等级", "risk level"),
    "risk_tested_at": Text("风险测评时间", "date of the risk test"),
    "credit_score": Text("信用分", "credit score"),
    "unit": Text("所属机构", "owning unit"),
    "source": Text("来源", "source"),
}

COMPARED: Mapping[str, Text] = {
    "is_": Text("为{}", "{}"),
    "is_not": Text("已知且不为{}", "known and not {}"),
    "in_": Text("为{}", "{}"),
    "not_in": Text("已知且不为{}", "known and not {}"),
    "contains": Text("包含“{}”", "a text with “{}” in it"),
    "between": Text("在{}之间", "{}"),
    "at_least": Text("至少 {}", "at least {}"),
    "above": Text("高于 {}", "more than {}"),
    "at_most": Text("至多 {}", "at most {}"),
    "below": Text("低于 {}", "less than {}"),
}

FILTERS: Mapping[str, Text] = {
    "department": Text("部门", "department"),
    "category": Text("品类", "category"),
    "subcategory": Text("子品类", "subcategory"),
    "brand": Text("品牌", "brand"),
    "product": Text("商品", "product"),
    "tag": Text("商品标签", "product tag"),
    "campaign": Text("活动", "campaign"),
    "journey": Text("旅程", "journey"),
    "offer": Text("优惠", "offer"),
    "channel": Text("渠道", "channel"),
    "place": Text("门店", "place"),
}

UNITS: Mapping[str, Text] = {
    "d": Text("天", "days"),
    "h": Text("小时", "hours"),
    "m": Text("分钟", "minutes"),
    "s": Text("秒", "seconds"),
    "times": Text(" 次", "times"),
    "products": Text(" 种商品", "products"),
}
