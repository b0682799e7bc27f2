"""The routes of the pages, each behind sign-in but the welcome."""

from django.urls import path
from django.views.i18n import set_language

from releve.control.api.routing import route
from releve.control.pages.access import signed_in
from releve.control.pages.account import clock, entrance, sign_ins, storage, team, welcome
from releve.control.pages.capture import views as capture
from releve.control.pages.device import add, certificate, channel, command, edit, home, messages
from releve.control.pages.device import views as device
from releve.control.pages.document import about, documents
from releve.control.pages.help import views as help_views
from releve.control.pages.machine import views as machine
from releve.control.pages.race import views as race
from releve.control.pages.run import change_views as run_change
from releve.control.pages.run import compare
from releve.control.pages.run import list_views as runs
from releve.control.pages.run import views as run
from releve.control.pages.share import making
from releve.control.pages.share import views as share

urlpatterns = [
    path("", signed_in(home.home), name="home"),
    path("fleet/cards/", signed_in(home.cards), name="fleet-cards"),
    path("about/", signed_in(about.about), name="about"),
    path("help/", signed_in(help_views.index), name="help"),
    path("help/<path:key>/", signed_in(help_views.page), name="help-page"),
    path("welcome/", welcome.welcome, name="welcome"),
    path("language/", set_language, name="set_language"),
    path("devices/add/", signed_in(add.add), name="device-add"),
    path("devices/<int:device_id>/", signed_in(device.device), name="device"),
    path("devices/<int:device_id>/latest/", signed_in(add.latest), name="latest-reading"),
    path("devices/<int:device_id>/edit/", signed_in(edit.edit), name="device-edit"),
    path("devices/<int:device_id>/channels/", signed_in(channel.change), name="device-channels-change"),
    path("devices/<int:device_id>/delete/", signed_in(edit.delete), name="device-delete"),
    path("devices/<int:device_id>/restore/", signed_in(edit.restore), name="device-bring-back"),
    path(
        "devices/<int:device_id>/changes/<int:change_id>/undo/",
        signed_in(edit.undo_change),
        name="device-change-undo-page",
    ),
    path("devices/<int:device_id>/messages/", signed_in(messages.messages), name="device-messages"),
    path("devices/<int:device_id>/disable/", signed_in(device.disable), name="device-disable"),
    path("devices/<int:device_id>/enable/", signed_in(device.enable), name="device-enable"),
    path("devices/<int:device_id>/move/", signed_in(device.move), name="device-move"),
    path("devices/<int:device_id>/secret/", signed_in(device.new_secret), name="device-secret"),
    path("devices/<int:device_id>/command/", signed_in(command.send), name="device-command"),
    path(
        "devices/<int:device_id>/sign-ins/<uuid:sign_in_id>/revoke/",
        signed_in(device.revoke_sign_in),
        name="device-sign-in-revoke",
    ),
    path(
        "devices/<int:device_id>/certificates/accept/", signed_in(certificate.accept), name="device-certificate-accept"
    ),
    path(
        "devices/<int:device_id>/certificates/remove/", signed_in(certificate.remove), name="device-certificate-remove"
    ),
    path("runs/", signed_in(runs.runs), name="run-list"),
    path("runs/compare/", signed_in(compare.compare), name="run-compare"),
    path("runs/open/", signed_in(runs.open_run), name="run-page-open"),
    path("runs/<int:run_id>/", signed_in(run.run), name="run-page"),
    path("runs/<int:run_id>/reference/", signed_in(run_change.reference), name="run-page-reference"),
    path("runs/<int:run_id>/close/", signed_in(run_change.close), name="run-page-close"),
    path("runs/<int:run_id>/reopen/", signed_in(run_change.reopen), name="run-page-reopen"),
    path("runs/<int:run_id>/rename/", signed_in(run_change.rename), name="run-page-rename"),
    path("runs/<int:run_id>/move/", signed_in(run_change.move), name="run-page-move"),
    path("runs/<int:run_id>/split/", signed_in(run_change.split), name="run-page-split"),
    path("runs/<int:run_id>/merge/", signed_in(run_change.merge), name="run-page-merge"),
    path("runs/<int:run_id>/delete/", signed_in(run_change.delete), name="run-page-delete"),
    path("runs/<int:run_id>/exclude/", signed_in(run_change.exclude), name="run-page-exclude"),
    path(
        "runs/<int:run_id>/exclusions/<int:exclusion_id>/include/",
        signed_in(run_change.include),
        name="run-page-include",
    ),
    path("runs/<int:run_id>/correct/", signed_in(run_change.correct), name="run-page-correct"),
    path("runs/<int:run_id>/release/", signed_in(run_change.release), name="run-page-release"),
    path("runs/<int:run_id>/changes/<int:change_id>/undo/", signed_in(run_change.undo), name="run-page-undo"),
    path("machines/", signed_in(machine.machines), name="machine-list"),
    path("machines/<int:asset_id>/", signed_in(machine.machine), name="machine-page"),
    path("profilometres/", signed_in(capture.profilometres), name="profilometre-list"),
    path("profilometres/<int:device_id>/", signed_in(capture.capture), name="profilometre-page"),
    path("racing/", signed_in(race.vehicles), name="vehicle-list"),
    path("racing/<int:asset_id>/", signed_in(race.race), name="vehicle-page"),
    path("machines/<int:asset_id>/qr.svg", signed_in(machine.code), name="machine-code"),
    path("s/<str:secret>/", share.enter, name="share-enter"),
    path("shared/<int:share_id>/", share.shared, name="shared"),
    path("shares/", signed_in(making.shares), name="share-list"),
    path("shares/make/", signed_in(making.make), name="share-make"),
    path("shares/<int:share_id>/revoke/", signed_in(making.revoke), name="share-revoke"),
    path("account/login/", entrance.login),  # allauth names these three
    path("account/password/reset/", entrance.password_reset),
    path("account/email/", entrance.email),
    path("account/sign-ins/", signed_in(sign_ins.sign_ins), name="account_sign_ins"),
    path(
        "account/sign-ins/<uuid:sign_in_id>/revoke/",
        signed_in(sign_ins.revoke_own),
        name="account_sign_in_revoke",
    ),
    path("account/settings/", signed_in(clock.own_settings), name="account_settings"),
    path("account/token/", signed_in(sign_ins.access_token), name="account_token"),
    path("team/", signed_in(team.team), name="team"),
    path("team/storage/", signed_in(storage.page), name="storage-page"),
    path("team/<int:team_id>/keeping/", signed_in(storage.keep), name="storage-keep"),
    path("team/<int:team_id>/members/", signed_in(team.add), name="team-member-add"),
    path(
        "team/<int:team_id>/members/<int:account_id>/disable/",
        signed_in(team.disable),
        name="team-member-disable",
    ),
    path(
        "team/<int:team_id>/members/<int:account_id>/enable/",
        signed_in(team.enable),
        name="team-member-enable",
    ),
    *route("api/schema/", documents.Schema.as_view(), name="schema"),
    *route("api/docs/", documents.Swagger.as_view(url_name="schema"), name="docs-swagger"),
    *route("api/redoc/", documents.Redoc.as_view(url_name="schema"), name="docs-redoc"),
]
