"""Words that the data never saw are told, with what was probably meant."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from tests.insight.rules.market import AS_OF, PRODUCTS, Row, before, market

from aimwell.core.rules import parse_rule
from aimwell.insight.rules.unseen import unseen_words

FACTS: dict[str, list[Row]] = {
    "customer": [{"customer_id": "ann", "city": "york"}, {"customer_id": "bob", "city": "bath"}],
    "product": PRODUCTS,
    "purchase": [
        {"order_id": "o", "line": "1", "customer_id": "ann", "product_id": "tea", "occurred_at": before(2)}
        | {"amount": Decimal(1), "channel": "app"}
    ],
    "event": [{"event_id": "e", "customer_id": "ann", "name": "visit", "occurred_at": before(0, timedelta(hours=1))}],
}


def test_words_that_never_occur_are_told_with_their_place() -> None:
    rule = parse_rule(
        {
            "all": [
                {"purchases": {"category": ["drinks", "dinks"], "channel": "app"}},
                {"attribute": "city", "in": ["york", "leeds"]},
                {"sequence": {"steps": [{"purchases": {"product": "te"}}, {"events": {"name": "visit"}}]}},
                {"touches": {"campaign": "c1"}},
            ]
        }
    )
    found = unseen_words(rule, market(FACTS).history(AS_OF), file="x.yaml", at=("rule",), line_of=len)
    assert [str(problem) for problem in found] == [
        "x.yaml:5: rule.all.0.purchases.category: 'dinks' never occurs in product.category (did you mean 'drinks'?)",
        "x.yaml:4: rule.all.1.attribute: 'leeds' never occurs in customer.city (there is 'bath', 'york')",
        "x.yaml:8: rule.all.2.sequence.steps.0.purchases.product: 'te' never occurs in purchase.product_id "
        "(did you mean 'tea'?)",
        "x.yaml:8: rule.all.2.sequence.steps.1.events.name: 'visit' never occurs in event.name (it is empty)",
    ]


def test_words_that_occur_are_not_mentioned() -> None:
    later = AS_OF + timedelta(days=1)
    rule = parse_rule({"any": [{"events": {"name": "visit"}}, {"attribute": "city", "is": "york"}]})
    assert unseen_words(rule, market(FACTS).history(later)) == []
