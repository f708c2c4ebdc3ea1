"""`kb labels`: labels of a base, listed, made, changed, deleted, put on documents."""

from typing import TYPE_CHECKING, Annotated

import typer

from kb_service.cli.session import JsonOption, KbOption, print_json, say, session, valid_text
from kb_service.domain.labels import LabelColour
from kb_service.domain.people import OPERATOR
from kb_service.language.plurals import num_of

if TYPE_CHECKING:
    from kb_service.domain.labels import Label

app = typer.Typer(help="Labels of a base, and which documents carry them.", no_args_is_help=True)
LabelName = Annotated[str, typer.Argument(help="Name or id of the label.", callback=valid_text)]
Colour = Annotated[LabelColour | None, typer.Option(help="What it is drawn in on the page.")]
Description = Annotated[
    str | None, typer.Option(help="What it is for, for people.", callback=valid_text)
]


@app.command("list")
def list_(kb: KbOption, as_json: JsonOption = False) -> None:
    """List the labels of a base with how many documents carry each."""
    with session(as_json=as_json) as services:
        found = services.labels.listed(services.bases.show(kb).id)
        if as_json:
            print_json({"items": [_json(label) for label in found]})
        else:
            for label in found:
                _say(label)


@app.command("add")
def add(
    name: LabelName,
    kb: KbOption,
    colour: Colour = None,
    description: Description = None,
    as_json: JsonOption = False,
) -> None:
    """Make a label."""
    with session(as_json=as_json) as services:
        base = services.bases.show(kb)
        shown = colour or LabelColour.GREY
        _tell(services.labels.create(base.id, name, shown, description or ""), as_json=as_json)


@app.command("change")
def change(
    label: LabelName,
    kb: KbOption,
    name: Annotated[str | None, typer.Option(help="A new name.", callback=valid_text)] = None,
    colour: Colour = None,
    description: Description = None,
    as_json: JsonOption = False,
) -> None:
    """Rename a label, draw it in another colour or describe it, wherever it is carried."""
    with session(as_json=as_json) as services:
        base = services.bases.show(kb)
        done = services.labels.change(base.id, label, name, colour, description)
        _tell(done, as_json=as_json)


@app.command("delete")
def delete(label: LabelName, kb: KbOption, as_json: JsonOption = False) -> None:
    """Delete a label; no document carries it any more."""
    with session(as_json=as_json) as services:
        _tell(services.labels.delete(services.bases.show(kb).id, label), as_json=as_json)


@app.command("put")
def put(
    documents: Annotated[list[str], typer.Argument(help="Documents by name or id.")],
    kb: KbOption,
    add: Annotated[list[str] | None, typer.Option(help="A label to give; repeatable.")] = None,
    remove: Annotated[list[str] | None, typer.Option(help="One to take; repeatable.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Give documents labels, or take them away; one that is new is made."""
    if not add and not remove:
        raise typer.BadParameter("name a label with --add or --remove")
    with session(as_json=as_json) as services:
        base = services.bases.show(kb)
        ids = [services.documents.find(base.id, key).document.id for key in documents]
        number = services.labels.put(base.id, ids, add or (), remove or (), OPERATOR)
        if as_json:
            print_json({"num_documents": number})
        else:
            say(f"labelled   {num_of(number, 'document')}")


def _tell(label: "Label", *, as_json: bool) -> None:
    if as_json:
        print_json(_json(label))
    else:
        _say(label)


def _json(label: "Label") -> dict[str, object]:
    from kb_service.schemas.labels import LabelBody

    return LabelBody.of(label).model_dump(mode="json")


def _say(label: "Label") -> None:
    about = f"  {label.description}" if label.description else ""
    number = num_of(label.num_documents, "document")
    say(f"{label.name}  ({number}, {label.colour}, {label.id}){about}")
