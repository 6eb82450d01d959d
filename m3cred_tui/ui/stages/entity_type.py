"""Stage 2: Select entity type."""

from m3cred_tui.model.credential import ENTITY_TYPES, Draft, EntityType
from m3cred_tui.ui.stages.choice import ChoiceStage


class EntityTypeStage(ChoiceStage[EntityType]):
    """Asks what the integration sends."""

    LABEL = "Select entity type"
    TITLE = "Entity Type Settings"
    CHOICES = ENTITY_TYPES
    PROMPT = "Select the type of entity"
    NOTES = (
        "Select Bill if your native Integration Configuration is for sending Bills to Stripe.",
        "Note: Currently, only Bill is available for selection.",
    )

    def choice_in(self, draft: Draft) -> EntityType | None:
        return draft.entity_type

    def with_choice(self, draft: Draft, choice: EntityType) -> Draft:
        return draft._replace(entity_type=choice)
