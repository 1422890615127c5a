"""Who may not do or see something is told why, not that their role is wrong; nobody is asked to try it again."""

from __future__ import annotations

import pytest

from tests.browser import stories
from tests.browser.matters import matter
from tests.browser.running import Client, House

KEY = {"key": "not-mine-at-all"}


@pytest.mark.parametrize(("language", "said"), [("zh-CN", "这一步不由您办理"), ("en", "This step is not yours")])
def test_a_step_that_is_for_others_says_for_whom(house: House, language: str, said: str) -> None:
    repairman = house.client("dispatcher")
    number = matter(house)
    repairman.get(f"/tickets/{number}")
    refused = repairman.post(f"/tickets/{number}/settle?lang={language}", {"to": "gao_feng", "reason": "x", **KEY})
    assert refused.status_code == 403
    assert said in refused.text


@pytest.mark.parametrize(("language", "said"), [("zh-CN", "其他部门的事项"), ("en", "another department")])
def test_a_matter_of_another_department_is_called_that(house: House, language: str, said: str) -> None:
    number = matter(house, stories.FEES)
    page = house.client("dispatcher").get(f"/tickets/{number}?lang={language}")
    assert page.status_code == 403
    assert said in page.text


@pytest.mark.parametrize(("path", "status"), [("/accounts", 403), ("/tickets/999999", 404), ("/nothing", 404)])
def test_what_will_never_be_there_is_not_tried_again(dispatcher: Client, path: str, status: int) -> None:
    page = dispatcher.get(f"{path}?lang=en")
    assert page.status_code == status
    assert "To the start" in page.text
    assert "Try again" not in page.text
