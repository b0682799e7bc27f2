"""A list that may be long is read in pages, each from where the last one ended (keyset, never an offset)."""

from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from rest_framework import serializers
from rest_framework.request import Request

DEFAULT_LIMIT = 100
LARGEST_LIMIT = 1000
LARGEST_ID = 2**63 - 1
Row = TypeVar("Row", bound=Model)


class PageQuery(serializers.Serializer[Any]):
    """Which part of the list."""

    after = serializers.IntegerField(
        required=False, min_value=0, max_value=LARGEST_ID, help_text="The `next` of the page before."
    )
    limit = serializers.IntegerField(
        default=DEFAULT_LIMIT, min_value=1, max_value=LARGEST_LIMIT, help_text="Most rows in the answer."
    )
    team = serializers.IntegerField(
        required=False, min_value=1, max_value=LARGEST_ID, help_text="Only what this team owns."
    )


def query(request: Request) -> dict[str, int]:
    """The checked query of a request for a page."""
    asked = PageQuery(data=request.query_params)
    asked.is_valid(raise_exception=True)
    wanted: dict[str, int] = asked.validated_data
    return wanted


def ascending(rows: QuerySet[Row], wanted: dict[str, int]) -> tuple[list[Row], int | None]:
    """A page of rows in the order of their ids, and where the next one starts after."""
    return _cut(rows.filter(pk__gt=wanted.get("after", 0)).order_by("pk"), wanted["limit"])


def descending(rows: QuerySet[Row], wanted: dict[str, int]) -> tuple[list[Row], int | None]:
    """A page of rows, the latest first."""
    return _cut(rows.filter(pk__lt=wanted.get("after", LARGEST_ID)).order_by("-pk"), wanted["limit"])


def _cut(rows: QuerySet[Row], limit: int) -> tuple[list[Row], int | None]:
    found = list(rows[: limit + 1])
    return found[:limit], found[limit - 1].pk if len(found) > limit else None
