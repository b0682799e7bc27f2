"""What a universe logs is not read: there are thousands of them, and their lines tell of planned misfortunes."""

import pytest
from structlog.testing import capture_logs


@pytest.fixture(autouse=True)
def _quiet():
    with capture_logs():
        yield
