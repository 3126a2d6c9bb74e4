"""`python -m visionlab_api.openapi`: print the OpenAPI document, for clients to be generated from."""

from __future__ import annotations

import json
import sys

from visionlab_api.app import create_app
from visionlab_api.configuration import ApiConfiguration

if __name__ == "__main__":
    document = create_app(ApiConfiguration(ui_folder=None)).openapi()
    json.dump(document, sys.stdout, indent=2, sort_keys=True)
    sys.stdout.write("\n")
