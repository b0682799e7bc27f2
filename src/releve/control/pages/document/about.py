"""`/about/`: what runs here and whether it is well, for people."""

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from releve import __version__
from releve.control.pages import public_address


@require_safe
def about(request: HttpRequest) -> HttpResponse:
    """The version, the database's durability as this session reads it, and where the probes are."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('server_version'), current_setting('fsync'),"
            " current_setting('synchronous_commit'), current_setting('full_page_writes')"
        )
        server_version, fsync, synchronous_commit, full_page_writes = cursor.fetchone()
    context = {
        "section": "about",
        "version": __version__,
        "server_version": server_version,
        "durability": {
            "fsync": fsync,
            "synchronous_commit": synchronous_commit,
            "full_page_writes": full_page_writes,
        },
        "is_durable": fsync == "on" and synchronous_commit in {"on", "remote_apply"},
        "time_zone": settings.RELEVE.time_zone,
        "origin": public_address.of(request),
    }
    return render(request, "pages/about.html", context)
