"""待核实: what was not understood surely is shown with its words, and confirmed or corrected in one go."""

from __future__ import annotations

from dataclasses import replace

from tests.browser import stories
from tests.browser.running import Client, House, new_matter


def test_who_called_is_shown_with_its_words_and_corrected(house: House, supervisor: Client) -> None:
    said = replace(
        stories.UNSURE, number="14000880901", source="press", evidence={"source": "采访 你们 经理"}, building="10"
    )
    number = new_matter(house, said)
    before = supervisor.api("GET", f"/tickets/{number}").json()
    assert (before["source"], before["to_confirm"]) == ("press", True)
    page = supervisor.get(f"/confirm/{number}", headers={"Accept-Language": "zh-CN"}).text
    assert '<option value="press" selected>' in page
    assert "采访 你们 经理" in page
    form = {"change": "1", "source": "resident", "key": "who-called-1"}
    assert supervisor.post(f"/confirm/{number}", form).status_code == 200
    after = supervisor.api("GET", f"/tickets/{number}").json()
    assert (after["source"], after["to_confirm"]) == ("resident", False)


def test_a_resident_is_not_asked_about(house: House, supervisor: Client) -> None:
    number = new_matter(house, replace(stories.UNSURE, number="14000880902", building="11"))
    page = supervisor.get(f"/confirm/{number}").text
    assert 'name="source"' not in page.split('id="confirm-form"')[1].split("</form>")[0]
