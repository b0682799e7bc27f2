"""The routes of runs."""

from releve.control.api.routing import route
from releve.control.runs.api import action_views, reference_views, views

RUN = "api/v1/runs/<int:run_id>"

urlpatterns = [
    *route("api/v1/runs", views.Runs.as_view(), "runs"),
    *route(RUN, views.OneRun.as_view(), "run"),
    *route(f"{RUN}/buckets", views.Buckets.as_view(), "run-buckets"),
    *route(f"{RUN}/close", action_views.Close.as_view(), "run-close"),
    *route(f"{RUN}/reopen", action_views.Reopen.as_view(), "run-reopen"),
    *route(f"{RUN}/merge", action_views.Merge.as_view(), "run-merge"),
    *route(f"{RUN}/split", action_views.Split.as_view(), "run-split"),
    *route(f"{RUN}/undo", action_views.Undo.as_view(), "run-undo"),
    *route(f"{RUN}/changes", action_views.Changes.as_view(), "run-changes"),
    *route(f"{RUN}/exclusions", action_views.Exclusions.as_view(), "run-exclusions"),
    *route(f"{RUN}/exclusions/<int:exclusion_id>", action_views.OneExclusion.as_view(), "run-exclusion"),
    *route("api/v1/assets/<int:asset_id>/reference", reference_views.Reference.as_view(), "asset-reference"),
    *route(f"{RUN}/statistics", action_views.Statistics.as_view(), "run-statistics"),
]
