"""What is true of many customers at once: rows of `churn.insights`, a compacted topic.

Rules: a row's key is its `insight_id`, and a newer row with the same id replaces it; a tombstone takes it back; the
same insight gives the same bytes; no customer is named.
"""

from collections.abc import Callable
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from schemas.fields import Name, WireTime


class Insight(Struct, frozen=True, kw_only=True, tag_field="kind"):
    """What every insight says; each kind adds its own numbers."""

    insight_id: Annotated[Name, Meta(description="what it is about; the key of its record")]
    as_of: WireTime
    text: Annotated[str, Meta(description="a sentence with the numbers in it")]


encode_insight: Final[Callable[[Insight], bytes]] = msgspec.json.Encoder().encode
"""An insight as the value of its record."""
