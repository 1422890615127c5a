"""A person's choice as the page fills it in says the same as its rules, at every time of the day."""

from datetime import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.desk.choices import CHANNELS, HOUSE_WAY, MAIL, Plan, Wish, channels, read_wishes

WAYS = st.frozensets(st.sampled_from([c for c in CHANNELS if c != "page"]))
TIMES = st.times().map(lambda t: t.replace(second=0, microsecond=0))
PLANS = st.builds(
    Plan, TIMES, TIMES, *(st.fixed_dictionaries(dict.fromkeys(HOUSE_WAY, WAYS)) for _ in range(2))
).filter(lambda plan: plan.start != plan.until)


@given(PLANS, TIMES)
def test_the_rules_of_a_plan_say_what_it_says(plan: Plan, at: time) -> None:
    wishes = read_wishes(plan.rules())
    inside = plan.start <= at < plan.until if plan.start < plan.until else at >= plan.start or at < plan.until
    for urgency in HOUSE_WAY:
        assert channels(wishes, urgency, at) == (plan.within if inside else plan.outside)[urgency]


@given(PLANS)
def test_a_plan_is_read_back_from_its_rules(plan: Plan) -> None:
    again = Plan.of(read_wishes(plan.rules()))
    assert again is not None
    assert (again.within, again.outside) in (
        (plan.within, plan.outside),
        (plan.outside, plan.outside),  # where no urgency differs, the hours say nothing
    )
    assert again.rules() == plan.rules()


def test_who_chose_nothing_sees_the_house_s_way_and_finer_rules_are_no_plan() -> None:
    plan = Plan.of(())
    assert plan is not None
    assert plan.within == plan.outside == HOUSE_WAY
    night, noon = (Wish("any", frozenset(), time(a), time(b)) for a, b in ((22, 6), (12, 13)))
    assert Plan.of((night, noon)) is None
    assert Plan.of((night,)) is not None


@pytest.mark.parametrize(
    "address", ["wang@example.com", "a.b+c@x-y.example.com", "o'brien@example.com", "root@localhost"]
)
def test_a_mailbox_is_taken(address: str) -> None:
    assert MAIL.fullmatch(address)


@pytest.mark.parametrize(
    "address",
    ["no address", "a@b@example.com", "a..b@example.com", ".a@example.com", "王@example.com", "a(b@example.com",
     "a:b@example.com", "[x]@example.com", "=?utf-8?q?x?=@example.com", "a\x01b@example.com", "a@..", "a@-x.com",
     "a@example.com\n", f"{'x' * 65}@example.com"],
)  # fmt: skip
def test_what_a_mail_server_would_read_as_another_address_or_none_is_refused(address: str) -> None:
    assert not MAIL.fullmatch(address)
