"""One API document for both planes: the control plane's own schema with fragments of the data plane merged in."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string
from rest_framework.request import Request

from releve.control.pages import public_address

Document = dict[str, Any]


class Collision(Exception):
    """Two planes describe the same operation or component differently."""


def add_data_plane(result: Document, request: Request | None = None, **_: Any) -> Document:
    """drf-spectacular's hook: merge the documents that the setting `API_FRAGMENTS` names, and say where we are."""
    prefix = settings.RELEVE.root_path.rstrip("/")
    if prefix and request is not None:
        result["servers"] = [{"url": f"{public_address.of(request).removesuffix(prefix)}{prefix}"}]
    return merge(result, [fragment() for fragment in _fragments()])


def merge(document: Document, fragments: Iterable[Mapping[str, Any]]) -> Document:
    """Add each fragment's paths, components and tags to a document.

    Raises:
        Collision: An operation or component stands in two of them with different content.
    """
    for fragment in fragments:
        for path, item in fragment.get("paths", {}).items():
            _add(document.setdefault("paths", {}).setdefault(path, {}), item, path)
        for kind, named in fragment.get("components", {}).items():
            _add(document.setdefault("components", {}).setdefault(kind, {}), named, f"components/{kind}")
        document.setdefault("tags", []).extend(fragment.get("tags", []))
    return _sorted(document)


def _add(known: Document, added: Mapping[str, Any], place: str) -> None:
    for name, content in added.items():
        kept = known.setdefault(name, content)
        if _meaning(kept) != _meaning(content):
            raise Collision(f"{place}: {name}")


def _meaning(content: Any) -> Any:
    """Two descriptions of one thing may use other words for it."""
    words = ("description", "bearerFormat")
    return {k: v for k, v in content.items() if k not in words} if isinstance(content, dict) else content


def _sorted(document: Document) -> Document:
    document["paths"] = dict(sorted(document.get("paths", {}).items()))
    if not document.get("tags"):
        document.pop("tags", None)
    return document


def _fragments() -> list[Any]:
    return [import_string(name) for name in getattr(settings, "API_FRAGMENTS", [])]
