"""Columns of ledgers: what they stand for in a document, and what a person says instead."""

from fastapi import APIRouter

from api.dependencies import Base, PrincipalParam, ServicesParam, ShownParam
from api.inputs import ColumnInput
from api.json_route import JsonRoute
from api.schema import Id
from kb_service.schemas.columns import (
    ColumnFieldBody,
    ColumnFieldListBody,
    ColumnPutBody,
    LedgerListBody,
    ledger_list_body,
)

router = APIRouter(route_class=JsonRoute, tags=["facts"])


@router.get("/kb/{kb}/documents/{document}/columns")
def list_ledgers(base: Base, document: Id, services: ServicesParam) -> LedgerListBody:
    """List the tables of a document with what their columns stand for."""
    return ledger_list_body(services.columns.tables(base.id, document))


@router.get("/kb/{kb}/columns")
def list_columns(base: Base, services: ServicesParam) -> ColumnFieldListBody:
    """List what people said that columns of the base stand for."""
    found = services.columns.listed(base.id)
    return ColumnFieldListBody(items=[ColumnFieldBody.of(one) for one in found])


@router.put("/kb/{kb}/columns")
def put_column(
    base: Base, body: ColumnInput, services: ServicesParam, who: PrincipalParam, shown: ShownParam
) -> ColumnPutBody:
    """Say what columns of a name stand for; null: what their names and values tell, again."""
    # People and phones of a ledger are known by what its columns stand for.
    shown.require_all(base.id, "a column that stands for something else")
    number = services.columns.put(base.id, body.name, body.field, who.name)
    return ColumnPutBody(num_documents=number)
