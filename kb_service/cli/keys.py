"""`kb keys`: keys of people and programs, made, listed, changed, revoked. Prints a secret once."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from kb_service.cli.session import JsonOption, print_json, say, session, valid_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kb_service.domain.people import Key, Rights
    from kb_service.operations import Services
    from kb_service.schemas.keys import KeyBody

app = typer.Typer(help="Keys of people and programs, and what each may do.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="Name of the key.", callback=valid_text)]
Role = Annotated[
    str, typer.Option("--role", help="admin, manage, write or read (change: or none).")
]
Bases = Annotated[
    list[str] | None, typer.Option("--base", help="A base of the role, by name or id; repeatable.")
]
EveryBase = Annotated[
    bool, typer.Option("--every-base", help="The role is in every base, those to come too.")
]
Person = Annotated[
    str | None, typer.Option("--for", help="Whom or what it is for.", callback=valid_text)
]
SeePersonal = Annotated[
    bool | None,
    typer.Option("--see-personal/--no-see-personal", help="Be shown personal data unmasked."),
]


@app.command("add")
def add(
    name: Name,
    role: Role,
    base: Bases = None,
    every_base: EveryBase = False,
    person: Person = None,
    see_personal: SeePersonal = None,
    days: Annotated[int | None, typer.Option(help="Valid for so many days.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a key and print its secret, which is told this once."""
    with session(as_json=as_json) as services:
        from kb_service.domain.people import Rights
        from kb_service.schemas.keys import NewKeyBody

        rights = _rights(services, Rights(), role, base or (), every_base=every_base)
        rights = replace(rights, see_personal=bool(see_personal))
        new = services.keys.add(name, person or "", rights, days)
        if as_json:
            body = NewKeyBody(key=_body(services, new.key), secret=new.secret)
            print_json(body.model_dump(mode="json"))
        else:
            _say_key(services, new.key)
            say(f"{new.secret}  (told this once)")


@app.command("list")
def list_(as_json: JsonOption = False) -> None:
    """List all keys with their rights, and when they were last used."""
    with session(as_json=as_json) as services:
        from kb_service.schemas.keys import setting_body

        if as_json:
            made = [_body(services, key) for key in services.keys.listed()]
            of_settings = [setting_body(name) for name in services.keys.in_settings]
            print_json([body.model_dump(mode="json") for body in (*of_settings, *made)])
            return
        for name in services.keys.in_settings:
            say(f"{name}  admin  (in the settings)")
        for key in services.keys.listed():
            _say_key(services, key)


@app.command("change")
def change(
    name: Name,
    role: Annotated[str | None, typer.Option("--role", help="As of `add`; none: no more.")] = None,
    base: Bases = None,
    every_base: EveryBase = False,
    person: Person = None,
    see_personal: SeePersonal = None,
    as_json: JsonOption = False,
) -> None:
    """Give a key a role in these bases; what it may do in others stays."""
    with session(as_json=as_json) as services:
        rights = services.keys.get(name).rights
        if role is not None or base or every_base:
            rights = _rights(services, rights, role or "", base or (), every_base=every_base)
        if see_personal is not None:
            rights = replace(rights, see_personal=see_personal)
        changed = services.keys.change(name, rights, person)
        _tell(services, changed, as_json=as_json)


@app.command("revoke")
def revoke(name: Name, as_json: JsonOption = False) -> None:
    """End a key at once."""
    with session(as_json=as_json) as services:
        _tell(services, services.keys.revoke(name), as_json=as_json)


def _rights(
    services: "Services", before: "Rights", role: str, bases: "Sequence[str]", *, every_base: bool
) -> "Rights":
    from kb_service.services.keys import rights_with

    ids = [services.bases.show(kb).id for kb in bases]
    return rights_with(before, role, ids, everywhere=every_base)


def _tell(services: "Services", key: "Key", *, as_json: bool) -> None:
    if as_json:
        print_json(_body(services, key).model_dump(mode="json"))
    else:
        _say_key(services, key)


def _body(services: "Services", key: "Key") -> "KeyBody":
    from kb_service.schemas.keys import key_body

    return key_body(key, services.keys.grants(key.rights))


def _say_key(services: "Services", key: "Key") -> None:
    rights = key.rights
    told = ["admin"] if rights.is_admin else []
    told += [f"{rights.everywhere} in every base"] if rights.everywhere else []
    told += [f"{one.right} in {one.base.name}" for one in services.keys.grants(rights)]
    told += ["sees personal data"] if rights.see_personal and not rights.is_admin else []
    told += [f"for {key.person}"] if key.person else []
    for word, at in (
        ("used", key.used_at),
        ("expires", key.expires_at),
        ("revoked", key.revoked_at),
    ):
        told += [f"{word} {at:%Y-%m-%d}"] if at else []
    say(f"{key.name}  {', '.join(told) or 'no right'}")
