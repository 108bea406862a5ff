"""What Hatch asks before it builds a wheel: without the page that scripts/setup-dashboard builds there is none."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class WithPage(BuildHookInterface):  # type: ignore[type-arg]
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "standard" and not (Path(self.root) / "service/dashboard/index.html").exists():
            raise FileNotFoundError("service/dashboard holds no page; scripts/setup-dashboard builds it")
