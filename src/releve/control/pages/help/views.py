"""The help's list, its search and its pages, in the reader's language where a page is."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from releve.control.pages.help import library
from releve.control.pages.help.render import html

LONGEST_SEARCH = 100


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """What there is, or what has the words that were looked for."""
    language = get_language() or ""
    wanted = request.GET.get("q", "").strip()[:LONGEST_SEARCH]
    listed = library.listed(language)
    groups = [
        [page for page in listed if (page.english or page.key).startswith(folder)]
        for folder in ("tutorial", "howto/", "runbooks/", "reference/")
    ]
    found = library.search(wanted, language) if wanted else []
    context = {"section": "help", "groups": groups, "wanted": wanted, "found": found}
    return render(request, "pages/help.html", context)


@require_safe
def page(request: HttpRequest, key: str) -> HttpResponse:
    """One page; the French one in its stead where French is read and there is one."""
    language = get_language() or ""
    shown = library.in_language(key, language)
    if shown is None:
        raise Http404
    context = {
        "section": "help",
        "shown": shown,
        "text": html(shown),
        "is_foreign": not language.startswith(shown.language),
    }
    return render(request, "pages/help_page.html", context)
