"""Sessions of browsers."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from service.schemas.parts import Resource, Time


class SessionRequest(BaseModel):
    """The key that signs a browser in."""

    model_config = ConfigDict(extra="forbid")
    key: str = Field(min_length=1, max_length=1000, description="a key from `vidro keys create`")


class SessionResource(Resource):
    """Whom a browser speaks for."""

    needs_key: bool = Field(description="whether nobody is let in without a key")
    owner: str | None = Field(description="whose datasets, jobs and models are seen and made; null where a key is missing")
    scopes: list[Literal["read", "write", "admin"]] = Field(description="what the owner may do here")
    key_id: str | None = Field(description="the key, as `vidro keys list` names it; null without one")
    expires_at: Time | None = Field(description="when the session, or the key sent with this request, ends; null for never")
