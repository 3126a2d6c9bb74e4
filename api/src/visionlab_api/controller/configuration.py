"""What an operator can set of `visionlab-controller`."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from visionlab_api.configuration import ApiConfiguration


class ControllerConfiguration(ApiConfiguration):
    """Run the control loops for servers that have VISIONLAB_CONTROL_LOOPS=off. Any number may run: one leads.

    It takes the settings of visionlab-api, and makes use of those that its loops need.
    """

    model_config = SettingsConfigDict(
        env_prefix="VISIONLAB_",
        cli_parse_args=False,
        cli_prog_name="visionlab-controller",
        cli_kebab_case=True,
        cli_hide_none_type=True,
    )

    port: int = Field(8001, ge=0, le=65535, description="port of /healthz and /metrics; 0 = any free one")
