"""One file for each stage of Create Integration Credential."""

from __future__ import annotations

from typing import TYPE_CHECKING

from m3cred_tui.ui.stages.authenticate import AuthenticateStage
from m3cred_tui.ui.stages.choice import DestinationStage, EntityTypeStage
from m3cred_tui.ui.stages.name import NameStage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from m3cred_tui.model.credential import Credential
    from m3cred_tui.ui.services import Services
    from m3cred_tui.ui.stages.stage import Stage


def stages(
    services: Services, is_taken: Callable[[str], bool], pending: Credential | None = None
) -> Sequence[Stage]:
    """Return new stages, in their order; a new stage is one line here."""
    return (
        NameStage(is_taken),
        EntityTypeStage(),
        DestinationStage(),
        AuthenticateStage(services, pending),
    )
