"""Which pages and parts of the API there are, and what each of them is given."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from bot.adapters.api_tokens_postgres import PostgresApiTokens
from bot.adapters.audit_log_postgres import PostgresAuditLog
from bot.adapters.dashboard_postgres import PostgresDashboard
from bot.adapters.listings_postgres import PostgresListings
from bot.adapters.muting_postgres import PostgresMuting
from bot.adapters.places_postgres import PostgresPlaces
from bot.adapters.sessions_postgres import PostgresSessions
from bot.adapters.verdicts_postgres import PostgresVerdicts
from bot.adapters.waivers_postgres import PostgresWaivers
from bot.settings_access import usernames
from bot.web import development, sign_in
from bot.web.access import Access
from bot.web.api import Office, api, of_verdicts
from bot.web.api.document import document
from bot.web.api.listing import listing
from bot.web.dashboard import Desk, audit, dashboards
from bot.web.deciding import Deciding
from bot.web.limits import OF_ADDRESSES, OF_VIEWERS, Buckets, Turnstile
from bot.web.origin import Origin
from bot.web.sign_in import Entrance
from bot.web.verdict_api import VerdictApi
from bot.web.verdict_page import VerdictDesk, verdict_page
from bot.web.verdict_waivers import Counter, verdict_waivers
from bot.wiring import Base
from bot.wiring_access import people_of, sign_in_of
from bot.wiring_rules import redaction_of
from bot.wiring_verdicts import jobs_of, links_of


async def routers(parts: Base, *, dev_login: bool = False) -> list[APIRouter]:
    """Return all pages and parts of the API, wired to *parts*; each asks who it is unless it is marked as public.

    Args:
        parts: what the process has.
        dev_login: whether anybody on this machine may pick a name and a role.
    """
    entrance = _entrance(parts, dev_login=dev_login)
    site = APIRouter(dependencies=[Depends(_turnstile(parts, entrance.access).guard)])
    desk = _desk(parts, Deciding(people_of(parts.settings)))
    of_jobs, *of_people = await _verdicts(parts)
    interface = (api(_office(parts, desk)), of_verdicts(of_jobs))
    for router in (
        sign_in.router(entrance),
        *dashboards(desk),
        audit.router(desk, PostgresListings(parts.pool, parts.instance)),
        *of_people,
        *interface,
        listing(lambda: document(*interface)),
    ):
        site.include_router(router)
    if dev_login:
        site.include_router(development.router(entrance))
    return [site]


async def _verdicts(parts: Base) -> tuple[APIRouter, ...]:
    settings, verdicts = parts.settings, PostgresVerdicts(parts.pool)
    links = await links_of(settings, parts.store)
    api = VerdictApi(
        verdicts, jobs_of(settings, parts.clock), links, instance=parts.instance, clock=parts.clock
    )
    desk = VerdictDesk(verdicts, links, PostgresWaivers(parts.pool), parts.clock)
    counter = Counter(desk, parts.sink, people_of(settings), redaction_of(settings, parts.store))
    return (api.router(), verdict_page(desk), verdict_waivers(counter))


def _entrance(parts: Base, *, dev_login: bool) -> Entrance:
    settings = parts.settings
    gitlab = sign_in_of(settings, parts.clock)

    async def key() -> bytes:
        return await parts.store.secret("sign-in")

    access = Access(
        PostgresSessions(parts.pool),
        PostgresApiTokens(parts.pool),
        clock=parts.clock,
        origin=Origin(settings.public_url),
        renewing=gitlab is not None,
        development=dev_login,
    )
    return Entrance(
        access,
        PostgresAuditLog(parts.pool),
        gitlab,
        key,
        admins=usernames(settings.admins),
        auditors=usernames(settings.auditors),
    )


def _desk(parts: Base, deciding: Deciding) -> Desk:
    return Desk(
        PostgresDashboard(parts.pool, parts.instance, parts.clock),
        PostgresPlaces(parts.pool, parts.instance),
        parts.clock,
        str(parts.settings.gitlab_url),
        deciding.may_decide,
        PostgresMuting(parts.pool, parts.instance, parts.clock),
        deciding.may_decide_group,
    )


def _office(parts: Base, desk: Desk) -> Office:
    listings = PostgresListings(parts.pool, parts.instance)
    return Office(desk.dashboard, listings, desk.clock, desk.may_decide, desk.muting, desk.may_decide_group)


def _turnstile(parts: Base, access: Access) -> Turnstile:
    monotonic = parts.clock.monotonic
    return Turnstile(access, Buckets(monotonic, OF_VIEWERS), Buckets(monotonic, OF_ADDRESSES))
