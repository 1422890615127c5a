"""Whose account is of one site sees nothing of another (R10), by pages and by the API."""

from __future__ import annotations

import pytest
from aiohttp.test_utils import TestClient, TestServer
from desk_node import SITE, Linked, until

from callcenter.desk import accounts
from callcenter.desk.house import Desk
from callcenter.web.app import make_app
from callcenter.web.passwords import hash_password

PASSWORD = "a long enough password"
pytestmark = pytest.mark.filterwarnings("ignore:It is recommended to use web.RequestKey")
"""aiohttp-session's own."""


async def token_of(client: TestClient, desk: Desk, login: str, site: str | None) -> dict[str, str]:  # type: ignore[type-arg]
    """The header of an administrator of `site` (None: of every one), made here."""
    await accounts.create(
        desk, login=login, name=login, role="administrator", argon2=await hash_password(PASSWORD), site=site,
        must_change=False,
    )  # fmt: skip
    given = await client.post("/api/v1/tokens", json={"login": login, "password": PASSWORD})
    assert given.status == 201, await given.text()
    return {"Authorization": f"Bearer {(await given.json())['token']}"}


async def test_an_account_of_one_site_sees_no_call_and_no_account_of_another(desk: Desk, node: Linked) -> None:
    call = node.line.whole_call("厨房水管漏水了", 100777)
    await until(lambda: desk.pool.fetchval("select completed_at from call where id = $1", call))
    await desk.pool.execute("insert into site (id, name) values ('other', 'other')")
    await desk.pool.execute("update call set site = 'other' where id = $1", call)
    pages = [f"/calls/{call}", f"/api/v1/calls/{call}", f"/api/v1/calls/{call}/listenings"]
    async with TestClient(TestServer(make_app(desk.settings, desk))) as client:
        everywhere, here = await token_of(client, desk, "everywhere", None), await token_of(client, desk, "here", SITE)
        for path in pages:
            assert (await client.get(path, headers=everywhere)).status == 200, path
            assert (await client.get(path, headers=here)).status == 404, path
        theirs = await accounts.by_login(desk, "everywhere")
        assert theirs is not None
        assert ">everywhere<" in await (await client.get("/accounts", headers=everywhere)).text()
        assert ">everywhere<" not in await (await client.get("/accounts", headers=here)).text()
        closed = await client.post(f"/accounts/{theirs.id}", data={"role": "agent"}, headers=here)
        joined = await client.post(f"/api/v1/accounts/{theirs.id}/person", json={"staff": None}, headers=here)
        assert (closed.status, joined.status) == (404, 404)
        assert await accounts.by_login(desk, "everywhere") == theirs
