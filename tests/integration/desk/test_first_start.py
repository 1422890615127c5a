"""First start and every start: the site's files, the roster ahead, the first administrator, said once."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from argon2 import PasswordHasher
from desk_node import SITE, settings_of

from callcenter.config import ROOT, Settings, SiteSettings
from callcenter.desk import accounts, duty, seed
from callcenter.desk.house import open_desk
from callcenter.errors import ConfigError, StoreError
from callcenter.store.embedded import EmbeddedPostgres


@pytest_asyncio.fixture
async def dsn(postgres: EmbeddedPostgres) -> AsyncIterator[str]:
    """A database that no desk has seen yet."""
    await postgres.make_database("unseen", template="template_house")
    yield postgres.dsn("unseen")
    await postgres.drop_database("unseen")


@pytest.fixture
def own_site(settings: Settings, tmp_path: Path) -> Settings:
    """A copy of the example site that a test may change."""
    shutil.copytree(ROOT / "config" / "sites", tmp_path / "sites")
    return settings.model_copy(update={"site": SiteSettings(folder=tmp_path / "sites")})


async def test_two_desks_start_at_once_and_one_says_the_password(settings: Settings) -> None:
    async def start() -> str | None:
        async with open_desk(settings, background=False) as desk:
            assert await accounts.count(desk) == 1
            return desk.first_password

    said = [password for password in await asyncio.gather(start(), start()) if password]
    assert len(said) == 1
    async with open_desk(settings, background=False) as desk:
        assert desk.first_password is None, "only once"
        admin = await accounts.by_login(desk, "admin")
        assert admin is not None
        assert PasswordHasher().verify(admin.argon2, said[0])
        assert admin.must_change
        people = await desk.pool.fetchval("select count(*) from staff where site = $1", SITE)
        assert people == len(desk.site(SITE).organisation.staff)
        assert await desk.pool.fetchval("select count(*) from household") == len(desk.site(SITE).households)


async def test_a_changed_roster_is_taken_over_and_swaps_stay(own_site: Settings) -> None:
    async with open_desk(own_site, background=False) as desk:
        before = await duty.roster(
            desk, SITE, datetime.now(UTC) + timedelta(days=3), datetime.now(UTC) + timedelta(days=4)
        )
        assert "wang_fang" in {r.staff for r in before if r.role == "operator"}
        swapped = await desk.pool.fetchval(
            "update duty_shift set staff = 'liu_yang', swapped_from = 'wang_fang' where id ="
            " (select id from duty_shift where staff = 'wang_fang' and role = 'operator'"
            "  and starts_at > now() + interval '5 days' order by starts_at limit 1) returning id"
        )
    path = own_site.sites_dir / "xingfu" / "roster.yaml"
    path.write_text(path.read_text().replace("starts_on: 2026-01-01", "starts_on: 2026-01-02", 1))
    async with open_desk(own_site, background=False) as desk:
        assert await desk.pool.fetchval("select count(*) from duty_shift where id = $1", swapped) == 1
        at = datetime.now(UTC) + timedelta(days=3)
        roster = await desk.roster(desk.pool, SITE, at, at + timedelta(days=1))
        wanted = desk.site(SITE).roster(at, at + timedelta(days=1))
        assert roster.on_duty("operator", at) == wanted.on_duty("operator", at)


async def test_the_roster_grows_by_itself(settings: Settings) -> None:
    async with open_desk(settings, background=False) as desk:
        later = datetime.now(UTC) + timedelta(days=30)
        async with desk.pool.acquire() as connection:
            await seed.extend_roster(connection, desk.site(SITE), later)
        far = later + timedelta(days=61)
        roster = await desk.roster(desk.pool, SITE, far, far + timedelta(hours=1))
        wanted = desk.site(SITE).roster(far, far + timedelta(hours=1))
        for role in ("operator", "leader", "engineering", "security"):
            assert roster.on_duty(role, far) == wanted.on_duty(role, far)
        doubled = await desk.pool.fetchval(
            "select count(*) from (select 1 from duty_shift group by site, role, staff, starts_at"
            " having count(*) > 1) t"
        )
        assert doubled == 0


async def test_a_broken_site_is_said_before_anything_starts(own_site: Settings) -> None:
    path = own_site.sites_dir / "xingfu" / "roster.yaml"
    path.write_text(path.read_text().replace("wang_fang", "wang_fnag", 1))
    with pytest.raises(ConfigError, match="wang_fnag"):
        async with open_desk(own_site, background=False):
            pass


async def test_a_database_that_is_not_there_is_said_with_its_mend(var_dir: Path) -> None:
    with pytest.raises(StoreError) as raised:
        async with open_desk(settings_of(var_dir, f"postgresql://x@/x?host={var_dir}"), background=False):
            pass
    assert raised.value.retryable
    assert raised.value.mend
