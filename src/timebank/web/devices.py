"""The phone binds itself to the person who holds it: asked by a script, never by a thumb."""

from typing import Annotated, Any

import msgspec
from litestar import Response, post
from litestar.params import URLEncodedBody

from timebank.domain.actor import Act
from timebank.domain.device_key import (
    AlreadyBound,
    BindingRefused,
    Bound,
    binding_challenge,
    parse_device_key,
    read_base64url,
)
from timebank.http.identity import NotSignedInError
from timebank.http.providers import Kitted, Now, OwnVolunteer, SignedInActor, TimebankRequest
from timebank.services import device_binding
from timebank.web.frame import translate_of


class BindingForm(msgspec.Struct):
    """What `device.js` posts."""

    kind: int = 0
    key: Annotated[str, msgspec.Meta(max_length=120)] = ""
    signature: Annotated[str, msgspec.Meta(max_length=120)] = ""


class BindingAnswer(msgspec.Struct):
    """What became of it.

    Attributes:
        state: `bound` or `refused`.
        code: The refusal's stable code; empty when bound.
        sentence: The same in the reader's language.
    """

    state: str
    code: str = ""
    sentence: str = ""


@post("/me/device", rule=Act.SCAN, status_code=200)
async def create_binding(
    request: TimebankRequest,
    data: URLEncodedBody[BindingForm],
    volunteer: OwnVolunteer,  # noqa: ARG001 only volunteers have phones to bind
    actor: SignedInActor,
    kit: Kitted,
    now: Now,
) -> Response[Any]:
    """Bind the phone that asks to whoever is signed in on it."""
    if request.auth is None:
        raise NotSignedInError
    outcome = await device_binding.bind_device(
        kit.db,
        person=actor.person,
        key=parse_device_key(data.kind, data.key),
        challenge=binding_challenge(master_key=kit.master_key, token_hash=request.auth),
        signature=read_base64url(data.signature) or b"",
        now=now,
    )
    match outcome:
        case Bound() | AlreadyBound():
            answer = BindingAnswer("bound")
        case BindingRefused(reason):
            answer = BindingAnswer("refused", reason.value, translate_of(request)(reason.value))
    return Response(answer, media_type="application/json", headers={"cache-control": "no-store"})
