"""The control plane as a WSGI application; `releve.serve` runs it in its thread pool."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "releve.control.configuration")

application = get_wsgi_application()
