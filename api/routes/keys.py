"""Who asks, and the keys of everybody: listed, made, changed, revoked."""

from fastapi import APIRouter

from api.dependencies import PrincipalParam, ServicesParam
from api.json_route import JsonRoute
from api.key_inputs import KeyChange, KeyInput
from api.names import SLASH_IN_SEGMENT
from api.schema import Id
from kb_service.schemas.keys import (
    KeyBody,
    KeyListBody,
    MeBody,
    NewKeyBody,
    key_body,
    me_body,
    setting_body,
)

router = APIRouter(route_class=JsonRoute, tags=["keys"])


@router.get("/me")
def show_me(who: PrincipalParam, services: ServicesParam) -> MeBody:
    """Show whose key this is and what it may do."""
    keys = services.keys
    return me_body(who, keys.grants(who.rights), needs_key=keys.are_needed())


@router.get("/keys")
def list_keys(services: ServicesParam) -> KeyListBody:
    """List all keys: those of the settings, then those made, those that are revoked last."""
    keys = services.keys
    made = [key_body(key, keys.grants(key.rights)) for key in keys.listed()]
    return KeyListBody(items=[*map(setting_body, keys.in_settings), *made])


@router.post("/keys", status_code=201)
def add_key(body: KeyInput, services: ServicesParam) -> NewKeyBody:
    """Make a key; its secret is told this once."""
    keys = services.keys
    new = keys.add(body.name, body.person, body.rights.to_domain(), body.days)
    return NewKeyBody(key=key_body(new.key, keys.grants(new.key.rights)), secret=new.secret)


@router.patch("/keys/{key}")
def change_key(key: Id, body: KeyChange, services: ServicesParam) -> KeyBody:
    """Give a key other rights in place of its own, or say for whom it is."""
    keys, rights = services.keys, body.rights.to_domain() if body.rights else None
    changed = keys.change(key.replace(SLASH_IN_SEGMENT, "/"), rights, body.person)
    return key_body(changed, keys.grants(changed.rights))


@router.post("/keys/{key}/revoke")
def revoke_key(key: Id, services: ServicesParam) -> KeyBody:
    """End a key at once."""
    revoked = services.keys.revoke(key.replace(SLASH_IN_SEGMENT, "/"))
    return key_body(revoked, services.keys.grants(revoked.rights))
