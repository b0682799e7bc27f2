"""`/s/<secret>/` opens a link, `/shared/<id>/` is what it shows: its own thing and nothing else.

The secret stands in the address once. A cookie of this browser has it from then on, so that neither the address of the
page, nor a referrer, nor what is asked for by the page names it.
"""

import json
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.timezone import now
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from releve.control.fleet import channels
from releve.control.pages.device import received
from releve.control.pages.device.received import Reading
from releve.control.pages.run.figure import Figure
from releve.control.pages.run.look import Look, look
from releve.control.runs.models import Run
from releve.control.runs.queries import exclusions_of
from releve.control.shares import queries, services
from releve.control.shares.models import Kind, Share
from releve.protocol.described import Description
from releve.protocol.shared import COOKIE

LISTED_EXCLUSIONS = 100


@require_safe
def enter(request: HttpRequest, secret: str) -> HttpResponse:
    """Open a link, and go on to what it shows."""
    try:
        share = queries.opened_by(secret)
    except Http404:
        return _over(request)
    services.opened(share)
    response = _kept_quiet(redirect("shared", share.pk))
    response.set_cookie(
        f"{COOKIE}{share.pk}",
        secret,
        max_age=max(1, int((share.expires_at - now()).total_seconds())),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",  # whoever follows a link of another site arrives with it
    )
    return response


@require_safe
def shared(request: HttpRequest, share_id: int) -> HttpResponse:
    """What a link shows to the browser that has opened it."""
    try:
        share = queries.opened_by(request.COOKIES.get(f"{COOKIE}{share_id}", ""), number=share_id)
        page = _device if share.kind == Kind.DEVICE else _runs
        return _kept_quiet(page(request, share))
    except Http404:
        return _over(request)


def _device(request: HttpRequest, share: Share) -> HttpResponse:
    if share.device is None:
        raise Http404
    readings = received.last_readings(share.device, limit=1)
    newest = readings[0] if readings else None
    known = channels.describe(share.device, newest.channels if newest else [])
    context = {
        "share": share,
        "device": share.device,
        "last": newest.time if newest else None,
        "values": [_value(name, each, newest) for name, each in sorted(known.items()) if newest and not each.is_hidden],
        "hidden": json.dumps([name for name, each in known.items() if each.is_hidden]),
    }
    return render(request, "pages/shared_device.html", context)


def _value(name: str, described: Description, newest: Reading) -> dict[str, Any]:
    """A channel's value, and how the page writes those that come after it."""
    called = described.name_fr if get_language() == "fr" else described.name_en
    return {
        "name": name,
        "label": called or name,
        "value": described.shown(newest.channels[name]),
        "unit": described.unit,
        "scale": repr(described.scale),
        "offset": repr(described.offset),
        "decimals": "" if described.decimals is None else described.decimals,
    }


def _runs(request: HttpRequest, share: Share) -> HttpResponse:
    runs = queries.runs_shown(share)
    if not runs:
        raise Http404
    looks = [_look(run) for run in runs]
    context: dict[str, Any] = {"share": share, "runs": runs, "run": runs[0], "look": looks[0]}
    if share.kind == Kind.COMPARISON:
        context["rows"] = _compared([found.figures for found in looks])
    return render(request, f"pages/shared_{share.kind}.html", context)


def _look(run: Run) -> Look:
    return look(run, list(exclusions_of(run)[:LISTED_EXCLUSIONS]))


def _compared(figures: list[list[Figure]]) -> list[dict[str, Any]]:
    """A row for each figure that the first run has: what the others are, and by how much they differ from it."""
    others = [{figure.label: figure for figure in of_run} for of_run in figures[1:]]
    return [
        {"first": first, "others": [_against(first, other.get(first.label)) for other in others]}
        for first in figures[0]
    ]


def _against(first: Figure, other: Figure | None) -> dict[str, Any]:
    if other is None:
        return {"figure": None, "delta": None}
    is_number = all(isinstance(each.value, int | float) for each in (first, other))
    return {"figure": other, "delta": other.value - first.value if is_number else None}


def _over(request: HttpRequest) -> HttpResponse:
    """404, the same for a link that is over and for one that never was."""
    return _kept_quiet(render(request, "pages/shared_over.html", status=404))


def _kept_quiet(response: HttpResponse) -> HttpResponse:
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex"
    return response
