"""What a customer holds with the bank and owes to it, and how that has moved."""

from __future__ import annotations

from aimwell.core.text import Text
from aimwell.insight.features import units
from aimwell.insight.features.bases.accounts import ACCOUNT_DAYS, ACCOUNTS, STALE
from aimwell.insight.features.family import Column, query_family

_NOW = Text("以各账户最近一次余额计", "by the latest balance of each account")


def _money(name: str, label: Text, what: Text, *, measure: str = "") -> Column:
    meaning = Text(f"{what.zh}，{_NOW.zh}", f"{what.en}, {_NOW.en}")
    return Column(name, label, "money", meaning, measure=measure, empty=0)


def _share(name: str, label: Text, meaning: Text) -> Column:
    return Column(name, label, "share", meaning)


BALANCES = query_family(
    "bank_balances",
    "transaction",
    Text("资产与负债", "Assets and debts"),
    needs=("balance.amount",),
    reads=(ACCOUNTS,),
    thresholds=(STALE,),
    columns=(
        _money("aum", Text("管理资产", "Assets under management"), Text("存款、理财、基金等之和", "All assets held")),
        _money("deposit_now", Text("存款余额", "Deposits"), Text("活期与定期存款", "Deposits, term deposits included")),
        _money("term_deposit_now", Text("定期存款", "Term deposits"), Text("定期存款", "Deposits bound for a term")),
        _money("idle_now", Text("活期余额", "Money on call"), Text("活期存款", "Deposits on call")),
        _money("wealth_now", Text("理财余额", "Wealth products"), Text("理财产品", "Wealth products with a term")),
        _money("fund_now", Text("基金余额", "Funds"), Text("基金等开放式产品", "Funds and open-ended products")),
        _money("loan_now", Text("贷款余额", "Loans"), Text("尚欠贷款", "Loans still owed")),
        Column(
            "aum_change_28d",
            Text("近28天资产变化", "Change of assets (28 days)"),
            "money",
            Text("现在的管理资产减28天前的", "Assets now less assets 28 days ago"),
            measure="aum_change",
            empty=0,
        ),
        Column(
            "aum_change_84d",
            Text("近84天资产变化", "Change of assets (84 days)"),
            "money",
            Text("现在的管理资产减84天前的", "Assets now less assets 84 days ago"),
            measure="aum_change",
            empty=0,
        ),
        Column(
            "aum_trend_84d",
            Text("资产趋势", "Trend of assets"),
            "number",
            Text(
                "现在与84天前的管理资产，两者之差除以两者之和，从−1（全部转出）到+1（从无到有）",
                "Assets now against 84 days ago: difference over sum, from −1 (all gone) to +1 (new)",
            ),
        ),
        Column(
            "asset_kinds",
            Text("持有产品类数", "Kinds of assets"),
            "integer",
            Text("有余额的资产类别数", "Kinds of assets with a balance"),
            unit=units.CATEGORIES,
            empty=0,
        ),
        _share(
            "deposit_share", Text("存款占比", "Share of deposits"), Text("存款占管理资产之比", "Deposits over assets")
        ),
        _share(
            "wealth_share",
            Text("理财基金占比", "Share invested"),
            Text("理财与基金占管理资产之比", "Wealth products and funds over assets"),
        ),
        Column(
            "debt_to_assets",
            Text("负债与资产之比", "Debt to assets"),
            "number",
            Text("贷款除以管理资产", "Loans over assets under management"),
            unit=units.TIMES,
        ),
    ),
    sql="""
    WITH sums AS (
        SELECT
            customer_id,
            sum(CASE WHEN asset AND stands THEN amount ELSE 0 END) AS aum,
            sum(CASE WHEN kind IN ('deposit', 'term_deposit') AND stands THEN amount ELSE 0 END) AS deposits,
            sum(CASE WHEN kind = 'term_deposit' AND stands THEN amount ELSE 0 END) AS bound,
            sum(CASE WHEN kind = 'wealth' AND stands THEN amount ELSE 0 END) AS wealth,
            sum(CASE WHEN kind = 'fund' AND stands THEN amount ELSE 0 END) AS funds,
            sum(CASE WHEN kind IN ('loan', 'mortgage') AND stands THEN amount ELSE 0 END) AS loans,
            sum(CASE WHEN asset THEN amount_28 ELSE 0 END) AS aum_28,
            sum(CASE WHEN asset THEN amount_84 ELSE 0 END) AS aum_84,
            count(DISTINCT CASE WHEN asset AND stands AND amount > 0 THEN kind END) AS kinds
        FROM accounts
        GROUP BY customer_id
    )
    SELECT
        customer_id,
        aum,
        deposits AS deposit_now,
        bound AS term_deposit_now,
        deposits - bound AS idle_now,
        wealth AS wealth_now,
        funds AS fund_now,
        loans AS loan_now,
        aum - aum_28 AS aum_change_28d,
        aum - aum_84 AS aum_change_84d,
        ratio(aum - aum_84, aum + aum_84) AS aum_trend_84d,
        kinds AS asset_kinds,
        ratio(deposits, aum) AS deposit_share,
        ratio(wealth + funds, aum) AS wealth_share,
        ratio(loans, aum) AS debt_to_assets
    FROM sums
    """,
)

DEPOSITS = query_family(
    "bank_deposits",
    "transaction",
    Text("活期存款走势", "Course of money on call"),
    needs=("balance.amount",),
    reads=(ACCOUNT_DAYS,),
    columns=(
        Column(
            "deposit_average_28d",
            Text("近28天平均活期", "Average on call (28 days)"),
            "money",
            Text("近28天有记录各日活期余额的平均", "Mean of the recorded balances on call in the last 28 days"),
            measure="deposit_average",
        ),
        Column(
            "deposit_average_84d",
            Text("近84天平均活期", "Average on call (84 days)"),
            "money",
            Text("近84天有记录各日活期余额的平均", "Mean of the recorded balances on call in the last 84 days"),
            measure="deposit_average",
        ),
        Column(
            "deposit_peak_182d",
            Text("近182天活期峰值", "Peak on call (182 days)"),
            "money",
            Text("近182天活期余额的最高值", "Highest recorded balance on call in the last 182 days"),
        ),
        Column(
            "deposit_low_182d",
            Text("近182天活期谷值", "Low on call (182 days)"),
            "money",
            Text("近182天活期余额的最低值", "Lowest recorded balance on call in the last 182 days"),
        ),
        Column(
            "deposit_volatility_84d",
            Text("活期波动", "Volatility on call"),
            "number",
            Text(
                "近84天活期余额的标准差除以平均",
                "Standard deviation over mean of the balances on call in the last 84 days",
            ),
        ),
    ),
    sql="""
    WITH ends AS (
        SELECT customer_id, day, sum(amount) AS amount
        FROM account_days
        WHERE kind = 'deposit' AND day >= day_before(182)
        GROUP BY customer_id, day
    )
    SELECT
        customer_id,
        ratio(
            sum(amount) FILTER (WHERE day >= day_before(28)), count(amount) FILTER (WHERE day >= day_before(28))
        ) AS deposit_average_28d,
        ratio(
            sum(amount) FILTER (WHERE day >= day_before(84)), count(amount) FILTER (WHERE day >= day_before(84))
        ) AS deposit_average_84d,
        max(amount) AS deposit_peak_182d,
        min(amount) AS deposit_low_182d,
        ratio(
            spread(amount) FILTER (WHERE day >= day_before(84)), mean(amount) FILTER (WHERE day >= day_before(84))
        ) AS deposit_volatility_84d
    FROM ends
    GROUP BY customer_id
    """,
)
