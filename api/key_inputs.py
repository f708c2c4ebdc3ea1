"""What a client may send to make and change keys, as strict pydantic models."""

from typing import Annotated, Literal

from pydantic import Field

from api.inputs import Input
from api.schema import A_NAME, Id, Whole, integer, text
from kb_service.domain.people import Right, Rights
from kb_service.services.keys import MAX_DAYS, MAX_KEY_CHARS, MAX_PERSON_CHARS

ON_ONE_LINE = r"^[^\u0000-\u001f\u007f]*$"

RightName = Literal["read", "write", "manage"]
KeyName = Annotated[str, text(1, MAX_KEY_CHARS, A_NAME)]
Person = Annotated[str, text(0, MAX_PERSON_CHARS, ON_ONE_LINE)]
Days = Annotated[int, Whole, integer(1, MAX_DAYS)]


class RightsInput(Input):
    """What a key may do; `bases`: the right in each base, by its id or exact name."""

    is_admin: bool = False
    everywhere: RightName | None = None
    bases: dict[Id, RightName] = Field(default_factory=dict)
    see_personal: bool = False

    def to_domain(self) -> Rights:
        """Return the rights, bases named as they were sent."""
        by_base = {kb: Right(right) for kb, right in self.bases.items()}
        everywhere = Right(self.everywhere) if self.everywhere else None
        return Rights(self.is_admin, everywhere, by_base, self.see_personal)


class KeyInput(Input):
    """A key to make; `days`: how long it is valid, absent for until it is revoked."""

    name: KeyName
    person: Person = ""
    rights: RightsInput
    days: Days | None = None


class KeyChange(Input):
    """What becomes of a key; what is absent or null stays."""

    person: Person | None = None
    rights: RightsInput | None = None
