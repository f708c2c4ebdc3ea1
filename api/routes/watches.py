"""Standing questions: kept, listed, shown with how their answers changed, removed."""

from fastapi import APIRouter

from api.dependencies import DEFAULT_LIMIT, Base, Cursor, Limit, ServicesParam
from api.inputs import WatchChange, WatchInput
from api.json_route import JsonRoute
from api.schema import Id
from kb_service.schemas.watches import (
    AnswerChangeBody,
    AnswerChangeListBody,
    WatchBody,
    WatchListBody,
    answer_change_body,
    watch_body,
)

router = APIRouter(route_class=JsonRoute, tags=["watches"])


@router.get("/kb/{kb}/watches")
def list_watches(
    base: Base, services: ServicesParam, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT
) -> WatchListBody:
    """List the standing questions by name."""
    found = services.watching.listed(base.id, limit, cursor)
    return WatchListBody(items=[*map(watch_body, found.items)], next_cursor=found.next_cursor)


@router.post("/kb/{kb}/watches", status_code=201)
def add_watch(base: Base, body: WatchInput, services: ServicesParam) -> WatchBody:
    """Keep a standing question or query; the worker asks it for the first time."""
    asked = body.to_domain()
    watch = services.watching.add(base.id, body.name, asked, body.schedule, body.webhook)
    return watch_body(watch)


@router.get("/kb/{kb}/watches/{watch}")
def show_watch(base: Base, watch: Id, services: ServicesParam) -> WatchBody:
    """Show a standing question with its present answer."""
    return watch_body(services.watching.get(base.id, watch))


@router.patch("/kb/{kb}/watches/{watch}")
def change_watch(base: Base, watch: Id, body: WatchChange, services: ServicesParam) -> WatchBody:
    """Pause a standing question, let it go on, or ask it at other times."""
    changed = services.watching.change(base.id, watch, body.is_paused, body.schedule)
    return watch_body(changed)


@router.delete("/kb/{kb}/watches/{watch}", status_code=204)
def remove_watch(base: Base, watch: Id, services: ServicesParam) -> None:
    """Delete a standing question with its answers."""
    services.watching.remove(base.id, watch)


@router.get("/kb/{kb}/watches/{watch}/changes")
def list_changes(
    base: Base,
    watch: Id,
    services: ServicesParam,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
) -> AnswerChangeListBody:
    """List how the answer changed, the latest first."""
    found = services.watching.changes(base.id, watch, limit, cursor)
    items: list[AnswerChangeBody] = [*map(answer_change_body, found.items)]
    return AnswerChangeListBody(items=items, next_cursor=found.next_cursor)
