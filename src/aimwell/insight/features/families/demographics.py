"""Who the customer is, as stated or recorded."""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.insight.features import units
from aimwell.insight.features.family import Column, query_family


def _stated(name: str, label: Text, meaning: Text) -> Column:
    return Column(name, label, "text", meaning, needs=(f"customer.{name}",))


DEMOGRAPHICS = query_family(
    "demographics",
    "basic",
    Text("人口属性", "Demographics"),
    needs=("customer.customer_id",),
    columns=(
        Column(
            "age",
            Text("年龄", "Age"),
            "integer",
            Text("截止日的周岁", "Completed years of age on the day of the cut"),
            unit=units.YEARS,
            needs=("customer.birth_date",),
        ),
        _stated("gender", Text("性别", "Gender"), Text("登记的性别", "Gender as stated")),
        _stated("age_band", Text("年龄段", "Age band"), Text("登记的年龄段", "Age band as stated")),
        _stated("city", Text("城市", "City"), Text("居住城市", "City of residence")),
        _stated("region", Text("省份", "Region"), Text("居住省份或州", "Province or state of residence")),
        _stated("language", Text("语言", "Language"), Text("偏好的语言", "Preferred language")),
        _stated("income_band", Text("收入段", "Income band"), Text("登记的收入段", "Income band as stated")),
        _stated("occupation", Text("职业", "Occupation"), Text("登记的职业", "Occupation as stated")),
        _stated("education", Text("学历", "Education"), Text("登记的学历", "Level of education as stated")),
        _stated("household_size", Text("家庭人数", "Household size"), Text("家庭人数", "People in the household")),
        _stated("household_kind", Text("家庭构成", "Household"), Text("家庭构成", "Composition of the household")),
        _stated("children", Text("子女数", "Children"), Text("家中子女数", "Number of children")),
        _stated("home_ownership", Text("住房", "Home"), Text("自有或租住", "Owner, renter and the like")),
        _stated("marital_status", Text("婚姻状况", "Marital status"), Text("婚姻状况", "Marital status as stated")),
        _stated("unit", Text("所属机构", "Owning unit"), Text("所属分行、门店或品牌", "Owning branch, shop or brand")),
        _stated("source", Text("来源", "Source"), Text("从哪里来的客户", "Where the customer was won")),
    ),
    sql="""
    SELECT
        customer_id,
        age_years(birth_date) AS age,
        gender,
        age_band,
        city,
        region,
        language,
        income_band,
        occupation,
        education,
        household_size,
        household_kind,
        children,
        home_ownership,
        marital_status,
        unit,
        source
    FROM customer
    """,
)

GIVEN_TIER = query_family(
    "given_tier",
    "tier",
    Text("公司给定的等级", "Tier given by the company"),
    needs=("customer.tier",),
    columns=(Column("tier", Text("会员等级", "Tier"), "text", Text("公司给定的等级", "Tier that the company gives")),),
    sql="SELECT customer_id, tier FROM customer",
)
