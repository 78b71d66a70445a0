"""The tier that a customer's assets amount to, and how far the next one is."""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.insight.features.bases.accounts import ACCOUNTS, STALE
from aimwell.insight.features.family import Column, Threshold, query_family

_GOLD = Threshold("asset_tier_gold", 50_000, Text("金卡资产门槛", "Assets from which a customer is gold"))
_PLATINUM = Threshold("asset_tier_platinum", 300_000, Text("白金资产门槛", "Assets from which a customer is platinum"))
_PRIVATE = Threshold("asset_tier_private", 1_000_000, Text("私行资产门槛", "Assets from which a customer is private"))

TIER = query_family(
    "bank_tier",
    "tier",
    Text("资产等级", "Tier by assets"),
    needs=("balance.amount",),
    reads=(ACCOUNTS,),
    thresholds=(STALE, _GOLD, _PLATINUM, _PRIVATE),
    columns=(
        Column(
            "asset_tier",
            Text("资产等级", "Tier by assets"),
            "text",
            Text("按管理资产和工作区设定的门槛划分", "Assets under management, cut at the thresholds of the workspace"),
            words={
                "standard": Text("普通", "Standard"),
                "gold": Text("金卡", "Gold"),
                "platinum": Text("白金", "Platinum"),
                "private": Text("私行", "Private"),
            },
        ),
        Column(
            "asset_tier_gap",
            Text("距上一等级差额", "Missing to the next tier"),
            "money",
            Text("再增加多少资产即达更高一级；已是最高级则为空", "Assets missing to the next tier; empty at the top"),
        ),
        Column(
            "asset_rank",
            Text("资产位次", "Rank by assets"),
            "share",
            Text("管理资产低于此人的客户所占比例", "Share of customers who hold less"),
        ),
    ),
    sql="""
    WITH held AS (
        SELECT customer_id, sum(CASE WHEN asset AND stands THEN amount ELSE 0 END) AS aum
        FROM accounts
        GROUP BY customer_id
    )
    SELECT
        customer_id,
        CASE
            WHEN aum >= setting('asset_tier_private') THEN 'private'
            WHEN aum >= setting('asset_tier_platinum') THEN 'platinum'
            WHEN aum >= setting('asset_tier_gold') THEN 'gold'
            ELSE 'standard'
        END AS asset_tier,
        CASE
            WHEN aum >= setting('asset_tier_private') THEN NULL
            WHEN aum >= setting('asset_tier_platinum') THEN setting('asset_tier_private') - aum
            WHEN aum >= setting('asset_tier_gold') THEN setting('asset_tier_platinum') - aum
            ELSE setting('asset_tier_gold') - aum
        END AS asset_tier_gap,
        percent_rank() OVER (ORDER BY aum) AS asset_rank
    FROM held
    """,
    freshness="batch",
)
