from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.insight.identity.letters import letters, message

from aimwell.insight.identity.evidence import Evidence, IdentityMessage, IdentitySettings, gather
from aimwell.insight.identity.resolution import ANONYMOUS, USER, Node, name_customer, name_of, naming, resolve_links

SETTINGS = IdentitySettings(limit=2)


def resolve(messages: list[IdentityMessage]) -> dict[Node, str]:
    evidence = gather(messages, SETTINGS)
    return resolve_links(evidence.links(), evidence.seen, limit=SETTINGS.limit)


def user(value: str) -> Node:
    return Node(USER, value)


def device(value: str) -> Node:
    return Node(ANONYMOUS, value)


def verified(mail: str) -> dict[str, object]:
    return {"email": mail, "email_verified": True}


@given(letters(), st.randoms(use_true_random=False))
def test_customers_do_not_depend_on_order_or_repetition(messages: list[IdentityMessage], random: Random) -> None:
    shuffled = messages + messages[::2]
    random.shuffle(shuffled)
    assert resolve(shuffled) == resolve(messages)


@given(letters(), st.integers(1, 5))
def test_evidence_adds_up_whatever_the_batches(messages: list[IdentityMessage], size: int) -> None:
    whole = gather(messages, SETTINGS)
    parts = Evidence()
    for start in range(0, len(messages), size):
        part = gather(messages[start : start + size], SETTINGS)
        for node, (first, last) in part.seen.items():
            parts.see(node, first)
            parts.see(node, last)
        for both, naming_ in part.pairs.items():
            parts.pairs.setdefault(both, naming_).add(naming_)
    assert parts.seen == whole.seen
    assert parts.pairs == whole.pairs


@given(letters())
def test_a_device_never_joins_two_people_who_share_it(messages: list[IdentityMessage]) -> None:
    """Without aliases and addresses, every user id stays its own customer, whatever the devices."""
    plain = [each._replace(traits="{}") for each in messages if each.kind != "alias"]
    customers = resolve(plain)
    assert all(customer == name_of(node) for node, customer in customers.items() if node.kind == USER)


@given(letters())
def test_no_two_customers_share_an_id_and_each_is_called_after_a_member(messages: list[IdentityMessage]) -> None:
    customers = resolve(messages)
    for customer in set(customers.values()):
        members = {node for node, other in customers.items() if other == customer}
        assert naming(customer) in members
        assert name_customer(members) == customer


@pytest.mark.parametrize("node", [user("c1"), user("anon:c1"), user("user:c1"), user("user:anon:x"), device("c1")])
def test_a_customer_id_leads_back_to_the_identifier_it_was_made_of(node: Node) -> None:
    assert naming(name_of(node)) == node


def test_the_smallest_user_id_names_the_customer_and_anonymous_ids_only_name_the_unknown() -> None:
    assert name_customer([user("b"), user("a"), device("0")]) == "a"
    assert name_customer([device("z"), device("y"), Node("email", "a@x.cn")]) == "anon:y"


def test_what_a_visitor_did_before_signing_in_becomes_the_customers() -> None:
    customers = resolve([message(1, "page", device="d1"), message(2, "identify", "ann", "d1")])
    assert customers == {device("d1"): "ann", user("ann"): "ann"}


def test_a_shared_tablet_belongs_to_whoever_signed_in_first() -> None:
    messages = [message(2, "identify", "bob", "tablet"), message(1, "identify", "cy", "tablet")]
    assert resolve(messages) == {device("tablet"): "cy", user("bob"): "bob", user("cy"): "cy"}


def test_two_who_signed_in_at_the_same_instant_leave_the_device_to_the_smaller_id() -> None:
    messages = [message(1, "identify", "bob", "tablet", at=5), message(2, "identify", "ann", "tablet", at=5)]
    assert resolve(messages)[device("tablet")] == "ann"


def test_an_alias_joins_two_user_ids() -> None:
    messages = [message(1, "track", "old"), message(2, "alias", "new", previous="old")]
    assert set(resolve(messages).values()) == {"new"}


def test_an_alias_of_a_visitor_joins_the_device_and_makes_no_user_id_of_it() -> None:
    messages = [message(1, "track", device="0a"), message(2, "alias", "zoe", previous="0a")]
    assert resolve(messages) == {device("0a"): "zoe", user("zoe"): "zoe"}


def test_two_aliases_of_one_device_do_not_join_the_two_people() -> None:
    messages = [message(1, "alias", "ann", previous="d1"), message(2, "alias", "bob", previous="d1")]
    assert resolve(messages) == {user("ann"): "ann", user("bob"): "bob"}


def test_a_verified_address_joins_two_accounts_an_unverified_one_never() -> None:
    one, other = verified("m@x.cn"), verified(" M@X.cn")
    joined = [message(1, "identify", "ann", traits=one), message(2, "identify", "bob", traits=other)]
    assert set(resolve(joined).values()) == {"ann"}
    other["email_verified"] = False
    apart = [message(1, "identify", "ann", traits=one), message(2, "identify", "bob", traits=other)]
    assert set(resolve(apart).values()) == {"ann", "bob"}


def test_a_trusted_key_verifies_unless_it_says_otherwise() -> None:
    def joined(**second: object) -> bool:
        traits = {"phone": "+86 138-0013-8000"}
        messages = [
            message(1, "identify", "ann", traits=traits, trusted=True),
            message(2, "identify", "bob", traits={**traits, **second}, trusted=True),
        ]
        return len(set(resolve(messages).values())) == 1

    assert joined()
    assert not joined(phone_verified=False)


def test_an_untrusted_key_verifies_nothing_where_its_traits_are_not_believed() -> None:
    messages = [message(n, "identify", who, traits=verified("m@x.cn")) for n, who in enumerate(["ann", "bob"])]
    careful = gather(messages, IdentitySettings(believe_traits=False))
    assert set(resolve_links(careful.links(), careful.seen, limit=3).values()) == {"ann", "bob"}


def test_an_address_of_many_people_joins_nobody() -> None:
    messages = [message(n, "identify", who, traits=verified("office@x.cn")) for n, who in enumerate("abc")]
    assert set(resolve(messages[:2]).values()) == {"a"}
    assert set(resolve(messages).values()) == {"a", "b", "c"}


def test_a_device_with_a_verified_address_waits_for_a_user_id_to_follow() -> None:
    messages = [
        message(1, "identify", device="d1", traits=verified("m@x.cn")),
        message(2, "identify", "ann", traits=verified("m@x.cn")),
    ]
    assert set(resolve(messages).values()) == {"ann"}
    assert resolve([*messages, message(3, "identify", "bob", "d1")])[device("d1")] == "bob"


def test_a_link_that_was_undone_does_not_join_and_the_device_goes_to_nobody_else() -> None:
    evidence = gather([message(1, "identify", "ann", "d1"), message(2, "identify", "bob", "d1")], SETTINGS)
    first, *others = sorted(evidence.links(), key=lambda link: link.at)
    undone = [type(first)(first.a, first.b, first.at, undone=True), *others]
    assert resolve_links(undone, evidence.seen, limit=3)[device("d1")] == "anon:d1"
