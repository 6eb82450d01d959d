"""Stage 3: Select destination."""

from m3cred_tui.model.credential import DESTINATIONS, Destination, Draft
from m3cred_tui.ui.stages.choice import ChoiceStage


class DestinationStage(ChoiceStage[Destination]):
    """Asks where the integration sends to."""

    LABEL = "Select destination"
    TITLE = "Destination Settings"
    CHOICES = DESTINATIONS
    PROMPT = "Select the destination"
    NOTES = (
        "Tip: Stripe Test Environment? Select Stripe (Test Mode) to use the credential to "
        "authenticate with your Stripe test environment. With Stripe, m3ter sends to your "
        "live Stripe account.",
    )

    def choice_in(self, draft: Draft) -> Destination | None:
        return draft.destination

    def with_choice(self, draft: Draft, choice: Destination) -> Draft:
        return draft._replace(destination=choice)
