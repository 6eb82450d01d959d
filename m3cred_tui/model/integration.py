"""How a credential goes into a m3ter Integration Configuration."""

from m3cred_tui.model.credential import Credential


def integration_fields(credential: Credential) -> dict[str, str]:
    """Return what a configuration has from the credential, in m3ter's own field names.

    As m3ter's API takes it (https://www.m3ter.com/docs/api, Create integration configuration);
    ``configData`` is added by whoever makes the configuration, and ``version`` by m3ter.
    """
    return {
        "name": credential.name,
        "entityType": credential.entity_type.code,
        "destination": credential.destination.code,
        "integrationCredentialsId": credential.id,
    }
